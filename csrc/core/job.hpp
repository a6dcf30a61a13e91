// One call, prepared: what the kernels of every instruction set are given.
#pragma once

#include <cstdint>

#include "api.hpp"
#include "tiling.hpp"

namespace torchstn {

// A grid with its matrices folded to pixels: coordinates of output pixel (j, i, k) are M (j, i, k, 1).
struct PixelGrid {
  Grid grid;
  std::int64_t input[MAX_DIMS] = {1, 1, 1};
  const double* matrices = nullptr;  // (n, 4, 4), exactly representable in the coordinates' type
  // Separable functions: the pixels [first, last) where function k of axis a is not zero.
  const std::int32_t* first[MAX_DIMS] = {nullptr, nullptr, nullptr};
  const std::int32_t* last[MAX_DIMS] = {nullptr, nullptr, nullptr};

  TORCHSTN_INLINE const double* matrix(std::int64_t n) const {
    return matrices + (grid.batch == 1 ? 0 : n * 16);
  }
  // Pixels between -1 and 1: of the input; of the output, but 1 for an axis of one pixel.
  TORCHSTN_INLINE double extent(int axis) const {
    return static_cast<double>(grid.align_corners ? input[axis] - 1 : input[axis]);
  }
  TORCHSTN_INLINE double steps(int axis) const {
    const std::int64_t length = grid.size[axis];
    return static_cast<double>(grid.align_corners ? (length > 1 ? length - 1 : 1) : length);
  }
};

struct ForwardJob {
  const Tiling& tiling;
  const Image& image;
  const Image& output;
  const PixelGrid& grid;
  Padding padding;
  const void* fill;
};

struct BackwardJob {
  const Tiling& tiling;
  const Image& image;
  const Image& grad_output;
  const PixelGrid& grid;
  Padding padding;
  const void* fill;
  const Image& grad_image;
  const GridGradient& grad_grid;
};

// The indices [first, last) of the slowest axis that a tile may add to.
struct Reach {
  std::int64_t first, last;
};

// A part of a backward job: output tiles [first, last) of batch entry n.
struct Part {
  std::int64_t n = 0;
  std::int64_t first = 0, last = 0;
  bool image = false;                  // scatter into the image's gradient:
  std::int64_t channel_first = 0, channel_last = 0;
  std::int64_t slab_first = 0, slab_last = 0;  // only into these indices of the slowest axis
  const Reach* reach = nullptr;                // by tile, where known: tiles that do not reach the slab are skipped
  bool grid = false;                   // reduce to the grid's gradient:
  double* partial = nullptr;           // sums of matrix and offsets are added here
  bool accumulate_points = false;      // add to the points' gradient instead of writing it
};

// One set of kernels, by [type][kernel][dims - 2].
struct KernelTable {
  using Forward = void (*)(const ForwardJob&, std::int64_t n, std::int64_t first, std::int64_t last);
  using Backward = void (*)(const BackwardJob&, const Part&);
  using FindReach = Reach (*)(const BackwardJob&, std::int64_t n, std::int64_t tile);
  Forward forward[5][3][2];
  Backward backward[4][3][2];
  FindReach reach[2];  // by type of the coordinates
};

}  // namespace torchstn
