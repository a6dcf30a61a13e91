// One problem, solved by the kernels and by the naive sampler.
#pragma once

#include <cstdint>
#include <string>

namespace check {

struct Report {
  double error = 0.0;  // the largest, in units of what rounding allows
  bool same_bits = true;  // on one thread and on three
  std::string where, problem;
};

// Problem number `seed`, with the kernels in use.
Report compare(std::uint64_t seed);

}  // namespace check
