// Which of the compiled instruction sets runs.

#include "instruction_sets.hpp"

#include <atomic>

namespace torchstn {

#if defined(TORCHSTN_WITH_BASELINE)
namespace baseline {
extern const KernelTable table;
}
#endif
#if defined(TORCHSTN_WITH_AVX2)
namespace avx2 {
extern const KernelTable table;
}
#endif
#if defined(TORCHSTN_WITH_NEON)
namespace neon {
extern const KernelTable table;
}
#endif

namespace {

struct Entry {
  const char* name;
  const KernelTable* kernels;
};

// Best first.
std::vector<Entry> usable() {
  std::vector<Entry> entries;
#if defined(TORCHSTN_WITH_AVX2)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") &&
      __builtin_cpu_supports("bmi2"))
    entries.push_back({"avx2", &avx2::table});
#endif
#if defined(TORCHSTN_WITH_NEON)
  entries.push_back({"neon", &neon::table});
#endif
#if defined(TORCHSTN_WITH_BASELINE)
  entries.push_back({"baseline", &baseline::table});
#endif
  return entries;
}

const std::vector<Entry>& entries() {
  static const std::vector<Entry> found = usable();
  return found;
}

std::atomic<std::size_t> chosen{0};

}  // namespace

const KernelTable& kernels() { return *entries()[chosen].kernels; }

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const Entry& entry : entries()) names.emplace_back(entry.name);
  return names;
}

std::string instruction_set() { return entries()[chosen].name; }

bool use_instruction_set(const std::string& name) {
  for (std::size_t k = 0; k < entries().size(); ++k)
    if (name == entries()[k].name) {
      chosen = k;
      return true;
    }
  return false;
}

}  // namespace torchstn
