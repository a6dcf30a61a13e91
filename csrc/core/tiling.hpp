// The order in which output pixels are worked on.
//
// A tile is up to BLOCK pixels. Of images with short rows it is a run of pixels in row-major order, so that short rows
// cost no more than long ones. Of wider ones it is a rectangle: a rotated rectangle reads far fewer lines of
// memory than a rotated row does, and its neighbours read the same ones.
#pragma once

#include <cstdint>

#include "api.hpp"

namespace torchstn {

constexpr int BLOCK = 512;
constexpr int LANES = 8;               // pixels worked on at once; a group of them lies within one run of pixels
constexpr int GROUPS = BLOCK / LANES;
constexpr std::int64_t WIDEST = 64;    // pixels in a row of a rectangle

// A stretch of a row: lanes [at, at + length) of a tile are output pixels (j.., i, k).
struct Piece {
  int at, length;
  std::int64_t j, i, k;
  std::int64_t pixel;  // number of the first, in row-major order
};

struct Tile {
  int groups = 0, pieces = 0;
  bool rectangle = false;
  Piece piece[BLOCK];
  std::int64_t pixel[GROUPS + WIDEST / LANES];  // the first pixel of a group; at the end room for a row more
  int valid[GROUPS + WIDEST / LANES];           // its pixels; lanes beyond them mean nothing

  // Adds a run of pixels.
  TORCHSTN_INLINE void add_groups(std::int64_t first, std::int64_t count) {
    for (; count > 0; count -= LANES, first += LANES) {
      pixel[groups] = first;
      valid[groups++] = count < LANES ? static_cast<int>(count) : LANES;
    }
  }

  // Leaves of every piece the lanes [from, to), in groups of its own. Few things here branch: how long the pieces are
  // is as good as random.
  TORCHSTN_INLINE void cut(const std::int32_t* from, const std::int32_t* to) {
    const int before = pieces;
    std::int64_t longest = 0;
    for (int p = 0; p < before; ++p) longest = to[p] - from[p] > longest ? to[p] - from[p] : longest;
    groups = pieces = 0;
    for (int p = 0; p < before; ++p) {
      const Piece old = piece[p];
      const int skipped = from[p], length = to[p] - from[p];
      piece[pieces] = {groups * LANES, length, old.j + skipped, old.i, old.k, old.pixel + skipped};
      pieces += length > 0;
      for (int t = 0, group = groups; t < longest; t += LANES, ++group) {
        pixel[group] = old.pixel + skipped + t;
        valid[group] = length - t < LANES ? length - t : LANES;
      }
      groups += (length + LANES - 1) / LANES;
    }
  }
};

class Tiling {
 public:
  explicit Tiling(const std::int64_t (&size)[MAX_DIMS]) {
    for (int a = 0; a < MAX_DIMS; ++a) size_[a] = size[a];
    flat_ = size[0] <= WIDEST;
    if (flat_) {
      tiles_ = (size[0] * size[1] * size[2] + BLOCK - 1) / BLOCK;
      return;
    }
    columns_ = (size[0] + WIDEST - 1) / WIDEST;
    width_ = ((size[0] + columns_ - 1) / columns_ + LANES - 1) / LANES * LANES;
    columns_ = (size[0] + width_ - 1) / width_;
    height_ = BLOCK / width_;
    bands_ = (size[1] + height_ - 1) / height_;
    tiles_ = columns_ * bands_ * size[2];
  }

  TORCHSTN_INLINE std::int64_t tiles() const { return tiles_; }

  TORCHSTN_INLINE void tile(std::int64_t index, Tile& tile) const {
    tile.groups = tile.pieces = 0;
    tile.rectangle = !flat_;
    if (flat_)
      run(index * BLOCK, tile);
    else
      rectangle(index % columns_ * width_, index / columns_ % bands_ * height_, index / columns_ / bands_, tile);
  }

 private:
  TORCHSTN_INLINE void run(std::int64_t first, Tile& tile) const {
    const std::int64_t rest = size_[0] * size_[1] * size_[2] - first;
    const int count = rest < BLOCK ? static_cast<int>(rest) : BLOCK;
    std::int64_t j = first % size_[0], i = first / size_[0] % size_[1], k = first / size_[0] / size_[1];
    for (int at = 0; at < count;) {
      const int length = size_[0] - j < count - at ? static_cast<int>(size_[0] - j) : count - at;
      tile.piece[tile.pieces++] = {at, length, j, i, k, first + at};
      at += length;
      j = 0;
      if (++i == size_[1]) {
        i = 0;
        ++k;
      }
    }
    tile.add_groups(first, count);
  }

  TORCHSTN_INLINE void rectangle(std::int64_t j, std::int64_t i, std::int64_t k, Tile& tile) const {
    const int length = static_cast<int>(size_[0] - j < width_ ? size_[0] - j : width_);
    const std::int64_t end = i + height_ < size_[1] ? i + height_ : size_[1];
    for (; i < end; ++i) {
      const std::int64_t pixel = (k * size_[1] + i) * size_[0] + j;
      tile.piece[tile.pieces++] = {tile.groups * LANES, length, j, i, k, pixel};
      tile.add_groups(pixel, length);
    }
  }

  std::int64_t size_[MAX_DIMS];
  bool flat_;
  std::int64_t tiles_, columns_ = 1, bands_ = 1, width_ = 1, height_ = 1;
};

}  // namespace torchstn
