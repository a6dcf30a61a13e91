// Draws small problems at random, solves each with the kernels of every instruction set this machine has, and compares
// output and gradients with the naive sampler. For machines where there is no Python to ask, an emulated one above all.
//
//   torchstn_check [number of problems]

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "compare.hpp"
#include "core/api.hpp"

int main(int count, char** words) {
  const std::uint64_t problems = count > 1 ? std::strtoull(words[1], nullptr, 10) : 2000;
  int failures = 0;
  for (const std::string& isa : torchstn::instruction_sets()) {
    torchstn::use_instruction_set(isa);
    double worst = 0.0;
    for (std::uint64_t seed = 0; seed < problems && failures < 10; ++seed) {
      const check::Report report = check::compare(seed);
      worst = std::fmax(worst, report.error);
      if (report.error <= 1.0 && report.same_bits) continue;
      ++failures;
      std::printf("%s, problem %llu: %s is off by %.3g times what rounding allows%s\n  %s\n", isa.c_str(),
                  static_cast<unsigned long long>(seed), report.where.c_str(), report.error,
                  report.same_bits ? "" : ", and depends on the number of threads", report.problem.c_str());
    }
    std::printf("%s: %llu problems, the largest error %.2g of what rounding allows\n", isa.c_str(),
                static_cast<unsigned long long>(problems), worst);
  }
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
