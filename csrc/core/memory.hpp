// Fresh memory.
#pragma once

#include <cstddef>

namespace torchstn {

// Asks for large pages under memory that is about to be written for the first time: in small ones, taking in a
// large output costs more than computing it.
void expect_large(void* data, std::size_t bytes);

}  // namespace torchstn
