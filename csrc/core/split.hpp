// How the tiles of an image are split into pieces.
#pragma once

#include <algorithm>
#include <cstdint>

namespace torchstn {

struct Split {
  std::int64_t tiles, length, pieces;

  Split(std::int64_t tiles_, std::int64_t wanted)
      : tiles(tiles_), length((tiles + wanted - 1) / wanted), pieces((tiles + length - 1) / length) {}

  std::int64_t first(std::int64_t piece) const { return piece * length; }
  std::int64_t last(std::int64_t piece) const { return std::min(tiles, (piece + 1) * length); }
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
