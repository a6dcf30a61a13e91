// The kernels of one instruction set, by type, sampling kernel and dimension.

#include "../job.hpp"
#include "kernels.hpp"
#include "types.hpp"

TORCHSTN_BEGIN

template <class T, int D, class K>
void forward(const ForwardJob& job, std::int64_t n, std::int64_t first, std::int64_t last);
template <class T, int D, class K>
void backward(const BackwardJob& job, const Part& part);
template <class R>
Reach find_reach(const BackwardJob& job, std::int64_t n, std::int64_t tile);

#define TORCHSTN_KERNELS(function, T)                                   \
  {                                                                     \
    {function<T, 2, Nearest>, function<T, 3, Nearest>},                 \
        {function<T, 2, Linear>, function<T, 3, Linear>},               \
        {function<T, 2, Cubic>, function<T, 3, Cubic>},                 \
  }

extern const KernelTable table;
const KernelTable table = {
    {TORCHSTN_KERNELS(forward, float), TORCHSTN_KERNELS(forward, double), TORCHSTN_KERNELS(forward, BFloat16),
     TORCHSTN_KERNELS(forward, Float16), TORCHSTN_KERNELS(forward, std::uint8_t)},
    {TORCHSTN_KERNELS(backward, float), TORCHSTN_KERNELS(backward, double), TORCHSTN_KERNELS(backward, BFloat16),
     TORCHSTN_KERNELS(backward, Float16)},
    {find_reach<float>, find_reach<double>},
};

TORCHSTN_END
