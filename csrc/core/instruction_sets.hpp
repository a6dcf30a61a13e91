#pragma once

#include "job.hpp"

namespace torchstn {

// The kernels in use.
const KernelTable& kernels();

}  // namespace torchstn
