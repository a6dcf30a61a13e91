// Problems drawn at random: every combination of what the kernels declare comes up within a few thousand.
#pragma once

#include <string>

#include "naive.hpp"

namespace check {

struct Drawn {
  Problem problem;
  Type type = Type::float32;
  Layout layout = Layout::planar, output_layout = Layout::planar;
  std::int64_t image_batch = 1;
  bool wide = false;  // coordinates in float64

  bool differentiable() const { return type != Type::uint8; }
  std::string describe() const;
};

Drawn draw(Random& random);

}  // namespace check
