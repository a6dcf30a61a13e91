#include "draw.hpp"

#include <cmath>

namespace check {
namespace {

template <class Enum>
Enum one_of(Random& random, int count) {
  return static_cast<Enum>(random.below(count));
}

// Numbers that the coordinates' type can hold.
std::vector<double> numbers(Random& random, std::int64_t count, double low, double high, bool wide) {
  std::vector<double> result;
  for (std::int64_t i = 0; i < count; ++i) {
    const double value = random.between(low, high);
    result.push_back(wide ? value : static_cast<double>(static_cast<float>(value)));
  }
  return result;
}

std::vector<double> matrices(Random& random, const Problem& p, bool wide) {
  const std::int64_t width = p.dims + 1, size = width * p.rows();
  const double zoom = random.below(3) == 0 ? 4.0 : 1.0;  // the image then lies small on the canvas
  std::vector<double> result = numbers(random, p.grid_batch * size, -0.4, 0.4, wide);
  for (std::int64_t i = 0; i < p.grid_batch * size; ++i) {
    const std::int64_t row = i % size / width, column = i % width;
    double& value = result[static_cast<std::size_t>(i)];
    if (row == column) value = static_cast<double>(static_cast<float>(value + 1.0));
    if (row == p.dims && column < p.dims) value /= 4;  // no denominator near zero
    if (row < p.dims) value *= zoom;
  }
  return result;
}

void draw_parameters(Random& random, Drawn& drawn) {
  Problem& p = drawn.problem;
  if (p.kind > GridKind::separable) {
    const double reach = p.kind == GridKind::pixels ? 9.0 : p.kind == GridKind::absolute ? 1.6 : 0.6;
    p.points = numbers(random, p.grid_batch * p.pixels() * p.dims, -reach, reach, drawn.wide);
    const double odd[] = {std::nan(""), HUGE_VAL, -HUGE_VAL, 1e30, -1e30};
    if (p.kind == GridKind::pixels && random.below(4) == 0)
      for (double& value : p.points)
        if (random.below(8) == 0) value = static_cast<double>(static_cast<float>(odd[random.below(5)]));
    return;
  }
  p.projective = p.kind == GridKind::matrix && random.below(2) == 0;
  p.matrix = matrices(random, p, drawn.wide);
  if (p.kind == GridKind::matrix) return;
  p.functions = 1;
  for (std::size_t axis = 0; axis < static_cast<std::size_t>(p.dims); ++axis) {
    p.count[axis] = 1 + random.below(3);
    p.functions *= p.count[axis];
    if (p.kind == GridKind::separable)
      p.values[axis] = numbers(random, p.count[axis] * p.out[axis], -1.0, 1.0, drawn.wide);
  }
  if (p.kind == GridKind::basis) p.values[0] = numbers(random, p.functions * p.pixels(), -1.0, 1.0, drawn.wide);
  p.offsets = numbers(random, p.grid_batch * p.functions * p.dims, -0.3, 0.3, drawn.wide);
}

}  // namespace

Drawn draw(Random& random) {
  Drawn drawn;
  Problem& p = drawn.problem;
  p.dims = 2 + static_cast<int>(random.below(2));
  const std::int64_t longest = p.dims == 2 ? 24 : 9;
  for (std::size_t axis = 0; axis < static_cast<std::size_t>(p.dims); ++axis) {
    p.in[axis] = 1 + random.below(longest);
    p.out[axis] = 1 + random.below(axis == 0 ? 24 : longest);  // rows long enough to be cut, in volumes too
  }
  p.batch = 1 + random.below(3);
  p.grid_batch = random.below(3) == 0 ? 1 : p.batch;
  drawn.image_batch = p.grid_batch == p.batch && random.below(3) == 0 ? 1 : p.batch;
  p.channels = 1 + random.below(random.below(3) == 0 ? 19 : 4);
  p.kernel = one_of<Kernel>(random, 3);
  p.padding = one_of<Padding>(random, 5);
  p.align_corners = random.below(2) == 0;
  p.kind = one_of<GridKind>(random, 6);
  drawn.type = one_of<Type>(random, 5);
  drawn.wide = drawn.type == Type::float64;
  drawn.layout = one_of<Layout>(random, 3);
  drawn.output_layout = drawn.layout == Layout::channels_last ? Layout::channels_last : Layout::planar;
  draw_parameters(random, drawn);
  if (p.padding == Padding::fill)
    for (std::int64_t c = 0; c < p.channels; ++c) p.fill.push_back(static_cast<double>(random.below(100)) / 64);
  return drawn;
}

std::string Drawn::describe() const {
  const Problem& p = problem;
  const auto number = [](auto value) { return std::to_string(static_cast<long long>(value)); };
  std::string sizes;
  for (const Index& size : {p.in, p.out}) {
    sizes += sizes.empty() ? "from " : " to ";
    for (const std::int64_t length : size) sizes += number(length) + (&length == &size.back() ? "" : "x");
  }
  return number(p.dims) + "-D, images " + number(image_batch) + ", grids " + number(p.grid_batch) + ", channels " +
         number(p.channels) + ", " + sizes + " (x first), type " + number(type) + ", layout " + number(layout) +
         ", grid " + number(p.kind) + (p.projective ? " projective" : "") + ", kernel " + number(p.kernel) +
         ", padding " + number(p.padding) + (p.align_corners ? ", align_corners" : "");
}

}  // namespace check
