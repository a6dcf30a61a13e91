// Parallel loops on the OpenMP runtime that torch uses.
#pragma once

#include <cstdint>

namespace torchstn {

// Whether this process was forked from one that had loaded the library: OpenMP's threads did not come along,
// and waiting for them would never end.
bool in_forked_child();

// Calls work(0) .. work(count - 1), in any order, on up to `threads` threads.
template <class Work>
void parallel_for(std::int64_t count, int threads, const Work& work) {
  if (threads <= 1 || count <= 1 || in_forked_child()) {
    for (std::int64_t index = 0; index < count; ++index) work(index);
    return;
  }
#if defined(_OPENMP)
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
#endif
  for (std::int64_t index = 0; index < count; ++index) work(index);
}

}  // namespace torchstn
