// Where a tile of output pixels reads, in pixels of the input; and the way back for the gradients.
#pragma once

#include "../job.hpp"
#include "vectors.hpp"

TORCHSTN_BEGIN

template <class R>
struct Coordinates {
  alignas(64) R axis[MAX_DIMS][BLOCK + LANES];  // the last ones are room for a whole group
  alignas(64) R reciprocal[BLOCK + LANES];  // of the denominator of a projective grid
};

// Coordinates of a tile of grid n. They are those of the reference to the bit, which is why the file behind this
// never contracts a product and a sum into one operation.
template <class R>
void evaluate(const PixelGrid& grid, std::int64_t n, const Tile& tile, Coordinates<R>& to);

// Where along the slowest axis a tile reads, whatever the kernel.
template <class R>
Reach find_reach(const BackwardJob& job, std::int64_t n, std::int64_t tile);

// Carries gradients of a tile's coordinates, in `gradient`, back to the grid's parameters. A pixel that does not
// read has zeros there.
template <class R, class W>
void reduce(const BackwardJob& job, const Part& part, const Tile& tile, const Coordinates<R>& at,
            W (&gradient)[MAX_DIMS][BLOCK]);

TORCHSTN_END
