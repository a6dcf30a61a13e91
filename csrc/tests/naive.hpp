// The sampler as a reader would write it: one point at a time, in double, with every coordinate spelled out.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/api.hpp"
#include "values.hpp"

namespace check {

using torchstn::GridKind;
using torchstn::Kernel;
using torchstn::MAX_DIMS;
using torchstn::Padding;
using Vector = std::array<double, MAX_DIMS>;  // x, y, z
using Index = std::array<std::int64_t, MAX_DIMS>;

// What is asked. Parameters are laid out as the kernels take them.
struct Problem {
  int dims = 2;
  Index in{1, 1, 1}, out{1, 1, 1};
  std::int64_t batch = 1, grid_batch = 1, channels = 1;
  Kernel kernel = Kernel::linear;
  Padding padding = Padding::zeros;
  bool align_corners = false;
  GridKind kind = GridKind::matrix;
  bool projective = false;
  std::int64_t functions = 0;
  Index count{1, 1, 1};                          // separable: functions along each axis
  std::vector<double> matrix, offsets, points;   // of grid_batch grids
  std::array<std::vector<double>, MAX_DIMS> values;
  std::vector<double> fill;                      // per channel, zeros but for Padding::fill

  std::int64_t pixels() const { return out[0] * out[1] * out[2]; }
  int rows() const { return projective ? dims + 1 : dims; }
  double extent(int axis) const { return static_cast<double>(align_corners ? in[axis] - 1 : in[axis]); }
};

struct Gradient {
  std::vector<double> image;  // (image batch, channels, pixels of the image)
  std::vector<double> matrix, offsets, points;
};

// Where output pixel `pixel` of image n reads, in pixels of the image.
Vector coordinates(const Problem& problem, std::int64_t n, std::int64_t pixel);

// Whether the output or its derivative jumps within `margin` pixels of a point.
bool near_jump(const Problem& problem, const Vector& point, double margin);

// The output at a point, and where a gradient is given, what it adds to the gradient of the image and the point.
double sample(const Problem& problem, const Array& image, std::int64_t n, std::int64_t c, const Vector& point,
              double grad_output, std::vector<double>* grad_image, Vector* grad_point);

// Adds the gradient of one point to that of the grid's parameters.
void carry_back(const Problem& problem, std::int64_t n, std::int64_t pixel, const Vector& grad_point, Gradient& to);

}  // namespace check
