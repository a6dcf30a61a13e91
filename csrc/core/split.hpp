// How output pixels are split into pieces of whole blocks.
#pragma once

#include <algorithm>
#include <cstdint>

#include "job.hpp"

namespace torchstn {

struct Split {
  std::int64_t pixels, pieces, length;

  Split(std::int64_t pixels_, std::int64_t wanted) : pixels(pixels_) {
    const std::int64_t blocks = (pixels + BLOCK - 1) / BLOCK;
    length = std::max<std::int64_t>(1, (blocks + wanted - 1) / wanted) * BLOCK;
    pieces = std::max<std::int64_t>(1, (pixels + length - 1) / length);
  }

  std::int64_t first(std::int64_t piece) const { return piece * length; }
  std::int64_t last(std::int64_t piece) const { return std::min(pixels, (piece + 1) * length); }
};

// Waking another thread costs as much as this many values.
constexpr std::int64_t WORTH_A_THREAD = 1 << 14;

inline int useful_threads(int threads, std::int64_t values) {
  return static_cast<int>(std::clamp<std::int64_t>(values / WORTH_A_THREAD, 1, std::max(threads, 1)));
}

// Pieces per image so that threads that finish early find something left to do.
inline std::int64_t pieces_for(std::int64_t batch, int threads) {
  return std::max<std::int64_t>(1, (4 * threads + batch - 1) / batch);
}

}  // namespace torchstn
