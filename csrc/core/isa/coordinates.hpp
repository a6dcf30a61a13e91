// Where a block of output pixels reads, in pixels of the input; and the way back for the gradients.
#pragma once

#include "../job.hpp"
#include "vectors.hpp"

TORCHSTN_BEGIN

// Room for one group of lanes past the end, so that loops over groups need no remainder.
constexpr int ROOM = BLOCK + LANES;

template <class R>
struct Coordinates {
  alignas(64) R axis[MAX_DIMS][ROOM];
  alignas(64) R reciprocal[ROOM];  // of the denominator of a projective grid
};

// Coordinates of output pixels [first, first + count) of grid n. They are those of the reference to the bit,
// which is why the file behind this never contracts a product and a sum into one operation.
template <class R>
void evaluate(const PixelGrid& grid, std::int64_t n, std::int64_t first, int count, Coordinates<R>& to);

// Carries gradients of the coordinates, in `gradient`, back to the grid's parameters. A pixel that does not
// read has zeros there.
template <class R, class W>
void reduce(const BackwardJob& job, const Part& part, std::int64_t first, int count, const Coordinates<R>& at,
            W (&gradient)[MAX_DIMS][ROOM]);

// Calls `piece(at, length, j, i, k)` for every stretch of a row within pixels [first, first + count): they
// are numbers [at, at + length) of the block, and the first of them is output pixel (j, i, k).
template <class Piece>
TORCHSTN_INLINE void for_each_row(const std::int64_t (&size)[MAX_DIMS], std::int64_t first, int count, Piece piece) {
  std::int64_t j = first % size[0];
  const std::int64_t row = first / size[0];
  std::int64_t i = row % size[1];
  std::int64_t k = row / size[1];
  for (int at = 0; at < count;) {
    const std::int64_t rest = size[0] - j;
    const int length = rest < count - at ? static_cast<int>(rest) : count - at;
    piece(at, length, j, i, k);
    at += length;
    j = 0;
    if (++i == size[1]) {
      i = 0;
      ++k;
    }
  }
}

TORCHSTN_END
