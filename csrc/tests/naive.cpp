#include "naive.hpp"

#include <algorithm>
#include <cmath>

namespace check {
namespace {

Index place_of(const Problem& p, std::int64_t pixel) {
  return {pixel % p.out[0], pixel / p.out[0] % p.out[1], pixel / p.out[0] / p.out[1]};
}

double lattice(const Problem& p, int axis, std::int64_t index) {
  const auto length = p.out[static_cast<std::size_t>(axis)];
  const auto steps = p.align_corners ? std::max<std::int64_t>(length - 1, 1) : length;
  return static_cast<double>(2 * index + 1 - length) / static_cast<double>(steps);
}

// (x, y[, z], 1) of an output pixel.
std::vector<double> homogeneous(const Problem& p, std::int64_t pixel) {
  const Index place = place_of(p, pixel);
  std::vector<double> point;
  for (int axis = 0; axis < p.dims; ++axis) point.push_back(lattice(p, axis, place[static_cast<std::size_t>(axis)]));
  point.push_back(1.0);
  return point;
}

double basis(const Problem& p, std::int64_t function, std::int64_t pixel) {
  if (p.kind == GridKind::basis) return p.values[0][static_cast<std::size_t>(function * p.pixels() + pixel)];
  const Index place = place_of(p, pixel);
  double product = 1.0;
  for (std::size_t axis = 0; axis < static_cast<std::size_t>(p.dims); ++axis) {
    product *= p.values[axis][static_cast<std::size_t>(function % p.count[axis] * p.out[axis] + place[axis])];
    function /= p.count[axis];
  }
  return product;
}

// Numerators and, of a projective matrix, the denominator.
std::vector<double> mapped(const Problem& p, std::int64_t n, const std::vector<double>& point) {
  const std::size_t width = point.size(), rows = static_cast<std::size_t>(p.rows());
  std::vector<double> result(rows, 0.0);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < width; ++c)
      result[r] += p.matrix[(static_cast<std::size_t>(n) * rows + r) * width + c] * point[c];
  return result;
}

struct Tap {
  std::int64_t index;  // -1 outside
  double weight, slope;
};

std::int64_t remap(std::int64_t index, std::int64_t length, Padding padding, bool align_corners) {
  const auto wrap = [](std::int64_t a, std::int64_t b) { return (a % b + b) % b; };
  switch (padding) {
    case Padding::border: return std::clamp<std::int64_t>(index, 0, length - 1);
    case Padding::circular: return wrap(index, length);
    case Padding::reflection: {
      const std::int64_t period = align_corners ? std::max<std::int64_t>(2 * length - 2, 1) : 2 * length;
      index = wrap(index, period);
      return std::min({index, period - index - (align_corners ? 0 : 1), length - 1});
    }
    default: return index < 0 || index >= length ? -1 : index;
  }
}

std::vector<Tap> taps(const Problem& p, double coordinate, std::int64_t length) {
  const double low = std::floor(coordinate), f = coordinate - low;
  const auto base = static_cast<std::int64_t>(std::clamp(low, -0x1p62, 0x1p62));
  const double a = -0.75;
  const auto near = [&](double x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
  const auto far = [&](double x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
  const auto near_slope = [&](double x) { return (3 * (a + 2) * x - 2 * (a + 3)) * x; };
  const auto far_slope = [&](double x) { return (3 * a * x - 10 * a) * x + 8 * a; };
  std::vector<Tap> result;
  if (p.kernel == Kernel::nearest) result = {{f >= 0.5 ? 1 : 0, 1.0, 0.0}};
  if (p.kernel == Kernel::linear) result = {{0, 1 - f, -1.0}, {1, f, 1.0}};
  if (p.kernel == Kernel::cubic)
    result = {{-1, far(f + 1), far_slope(f + 1)},
              {0, near(f), near_slope(f)},
              {1, near(1 - f), -near_slope(1 - f)},
              {2, far(2 - f), -far_slope(2 - f)}};
  for (Tap& tap : result) tap.index = remap(base + tap.index, length, p.padding, p.align_corners);
  return result;
}

}  // namespace

Vector coordinates(const Problem& p, std::int64_t n, std::int64_t pixel) {
  n = p.grid_batch == 1 ? 0 : n;
  const auto dims = static_cast<std::size_t>(p.dims);
  std::vector<double> point = homogeneous(p, pixel);
  const std::size_t at = static_cast<std::size_t>(n * p.pixels() + pixel) * dims;
  if (p.kind <= GridKind::separable) point = mapped(p, n, point);
  Vector result{};
  for (std::size_t r = 0; r < dims; ++r) {
    if (p.kind == GridKind::pixels) {
      result[r] = p.points[at + r];
      continue;
    }
    double x = point[r];
    if (p.kind == GridKind::absolute) x = p.points[at + r];
    if (p.kind == GridKind::displacement) x += p.points[at + r];
    if (p.projective) x /= point[dims];
    for (std::int64_t k = 0; k < p.functions; ++k)
      x += basis(p, k, pixel) * p.offsets[static_cast<std::size_t>(n * p.functions + k) * dims + r];
    result[r] = (x * p.extent(static_cast<int>(r)) + static_cast<double>(p.in[r] - 1)) / 2;
  }
  return result;
}

bool near_jump(const Problem& p, const Vector& point, double margin) {
  if (p.kernel == Kernel::cubic) return false;
  const double at = p.kernel == Kernel::nearest ? 0.5 : 0.0;
  for (int axis = 0; axis < p.dims; ++axis) {
    const double x = point[static_cast<std::size_t>(axis)] - at;
    if (std::fabs(x - std::round(x)) < margin) return true;
  }
  return false;
}

double sample(const Problem& p, const Array& image, std::int64_t n, std::int64_t c, const Vector& point,
              double grad_output, std::vector<double>* grad_image, Vector* grad_point) {
  const double outside = p.fill.empty() ? 0.0 : p.fill[static_cast<std::size_t>(c)];
  for (int axis = 0; axis < p.dims; ++axis)
    if (!std::isfinite(point[static_cast<std::size_t>(axis)])) return outside;
  n = image.view().batch == 1 ? 0 : n;
  const std::vector<Tap> x = taps(p, point[0], p.in[0]), y = taps(p, point[1], p.in[1]);
  const std::vector<Tap> z = p.dims == 3 ? taps(p, point[2], p.in[2]) : std::vector<Tap>{{0, 1.0, 0.0}};
  double output = 0.0;
  for (const Tap& i : z)
    for (const Tap& j : y)
      for (const Tap& k : x) {
        const bool inside = i.index >= 0 && j.index >= 0 && k.index >= 0;
        const double value = inside ? image.at(n, c, k.index, j.index, i.index) : outside;
        output += value * i.weight * j.weight * k.weight;
        if (grad_image == nullptr) continue;
        const auto pixel = (((n * p.channels + c) * p.in[2] + i.index) * p.in[1] + j.index) * p.in[0] + k.index;
        if (inside) (*grad_image)[static_cast<std::size_t>(pixel)] += grad_output * i.weight * j.weight * k.weight;
        (*grad_point)[0] += grad_output * value * i.weight * j.weight * k.slope;
        (*grad_point)[1] += grad_output * value * i.weight * j.slope * k.weight;
        (*grad_point)[2] += grad_output * value * i.slope * j.weight * k.weight;
      }
  return output;
}

void carry_back(const Problem& p, std::int64_t n, std::int64_t pixel, const Vector& grad_point, Gradient& to) {
  n = p.grid_batch == 1 ? 0 : n;
  const auto dims = static_cast<std::size_t>(p.dims);
  const std::vector<double> from = homogeneous(p, pixel);
  std::vector<double> grad(dims + 1, 0.0);  // of what `mapped` gave
  const std::size_t at = static_cast<std::size_t>(n * p.pixels() + pixel) * dims;
  for (std::size_t r = 0; r < dims; ++r) {
    grad[r] = grad_point[r] * (p.kind == GridKind::pixels ? 1.0 : p.extent(static_cast<int>(r)) / 2);
    if (p.kind > GridKind::separable) to.points[at + r] += grad[r];
    for (std::int64_t k = 0; k < p.functions; ++k)
      to.offsets[static_cast<std::size_t>(n * p.functions + k) * dims + r] += basis(p, k, pixel) * grad[r];
  }
  if (p.kind > GridKind::separable) return;
  if (p.projective) {
    const std::vector<double> point = mapped(p, n, from);
    for (std::size_t r = 0; r < dims; ++r) {
      grad[dims] -= grad[r] * point[r] / (point[dims] * point[dims]);
      grad[r] /= point[dims];
    }
  }
  const auto rows = static_cast<std::size_t>(p.rows());
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c <= dims; ++c)
      to.matrix[(static_cast<std::size_t>(n) * rows + r) * (dims + 1) + c] += grad[r] * from[c];
}

}  // namespace check
