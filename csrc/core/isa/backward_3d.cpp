#include "backward.hpp"

TORCHSTN_BEGIN

#define TORCHSTN_BACKWARD(T)                                            \
  template void backward<T, 3, Nearest>(const BackwardJob&, const Part&); \
  template void backward<T, 3, Linear>(const BackwardJob&, const Part&);  \
  template void backward<T, 3, Cubic>(const BackwardJob&, const Part&);

TORCHSTN_BACKWARD(float)
TORCHSTN_BACKWARD(double)
TORCHSTN_BACKWARD(BFloat16)
TORCHSTN_BACKWARD(Float16)

TORCHSTN_END
