// Matrices on normalised points to matrices on pixel indices, and the way back for their gradients.
#pragma once

#include <vector>

#include "job.hpp"

namespace torchstn {

// A PixelGrid and the memory it points to.
class FoldedGrid {
 public:
  FoldedGrid(const Grid& grid, const Image& image);
  FoldedGrid(const FoldedGrid&) = delete;
  FoldedGrid& operator=(const FoldedGrid&) = delete;

  const PixelGrid& pixel_grid() const { return grid_; }

 private:
  PixelGrid grid_;
  std::vector<double> matrices_;
  std::vector<std::int32_t> first_[MAX_DIMS], last_[MAX_DIMS];
};

// Doubles in one partial sum of the gradients of matrix and offsets.
std::int64_t partial_size(const Grid& grid);

// Turns sums of partial gradients (n, partial_size), in folded units, into the gradients asked for.
void unfold_gradient(const PixelGrid& grid, std::int64_t batch, const double* sums, const GridGradient& gradient);

}  // namespace torchstn
