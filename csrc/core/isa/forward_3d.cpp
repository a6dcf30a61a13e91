#include "forward.hpp"

TORCHSTN_BEGIN

#define TORCHSTN_FORWARD(T)                                                                             \
  template void forward<T, 3, Nearest>(const ForwardJob&, std::int64_t, std::int64_t, std::int64_t); \
  template void forward<T, 3, Linear>(const ForwardJob&, std::int64_t, std::int64_t, std::int64_t);  \
  template void forward<T, 3, Cubic>(const ForwardJob&, std::int64_t, std::int64_t, std::int64_t);

TORCHSTN_FORWARD(float)
TORCHSTN_FORWARD(double)
TORCHSTN_FORWARD(BFloat16)
TORCHSTN_FORWARD(Float16)
TORCHSTN_FORWARD(std::uint8_t)

TORCHSTN_END
