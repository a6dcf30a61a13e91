#include "compare.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "draw.hpp"

namespace check {
namespace {

// Points nearer than this to a jump of the output or of its derivative are left out: rounding decides about them.
constexpr double MARGIN = 1e-3;

// Doubles in the type in which the kernels take coordinates' numbers.
struct Typed {
  Typed(const std::vector<double>& values, bool is_wide) : wide(is_wide), doubles(values) {
    for (const double value : values) floats.push_back(static_cast<float>(value));
  }
  void* data() { return wide ? static_cast<void*>(doubles.data()) : static_cast<void*>(floats.data()); }
  double at(std::size_t i) const { return wide ? doubles[i] : static_cast<double>(floats[i]); }

  bool wide;
  std::vector<double> doubles;
  std::vector<float> floats;
};

struct Parameters {
  explicit Parameters(const Drawn& d)
      : matrix(d.problem.matrix, d.wide), offsets(d.problem.offsets, d.wide), points(d.problem.points, d.wide) {
    for (const auto& values : d.problem.values) tables.emplace_back(values, d.wide);
  }
  Typed matrix, offsets, points;
  std::vector<Typed> tables;
};

torchstn::Grid grid_of(const Drawn& drawn, Parameters& parameters) {
  const Problem& p = drawn.problem;
  torchstn::Grid grid;
  grid.kind = p.kind;
  grid.dims = p.dims;
  grid.wide = drawn.wide;
  grid.align_corners = p.align_corners;
  grid.batch = p.grid_batch;
  grid.matrix = parameters.matrix.data();
  grid.matrix_batch = grid.offsets_batch = p.grid_batch;
  grid.projective = p.projective;
  grid.offsets = parameters.offsets.data();
  grid.functions = p.functions;
  grid.points = parameters.points.data();
  std::int64_t step = p.dims;
  for (int axis = 0; axis < MAX_DIMS; ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    grid.size[axis] = p.out[a];
    grid.count[axis] = p.count[a];
    grid.values[axis] = parameters.tables[a].data();
    grid.points_stride[axis] = step;
    step *= p.out[a];
  }
  grid.points_batch_stride = p.grid_batch == 1 ? 0 : step;
  return grid;
}

void fill_at_random(Random& random, Array& array, const Problem& p, const Index& size) {
  const bool whole = array.view().type == Type::uint8;
  for (std::int64_t n = 0; n < array.view().batch; ++n)
    for (std::int64_t c = 0; c < p.channels; ++c)
      for (std::int64_t i = 0; i < size[0] * size[1] * size[2]; ++i) {
        const auto level = static_cast<double>(random.below(255));
        array.set(n, c, i, whole ? level : (level - 127) / 128);
      }
}

// The largest difference so far, in units of what is allowed.
struct Worst {
  Report& report;
  void see(double ours, double theirs, double allowed, const char* where) {
    const double error = std::fabs(ours - theirs) / allowed;
    if (error <= report.error) return;  // a NaN goes on
    report.error = std::isnan(error) ? HUGE_VAL : error;
    report.where = where;
  }
};

class Comparison {
 public:
  explicit Comparison(std::uint64_t seed)
      : random_(seed), drawn_(draw(random_)), parameters_(drawn_), grid_(grid_of(drawn_, parameters_)),
        image_(drawn_.type, drawn_.layout, p().dims, drawn_.image_batch, p().channels, p().in.data()),
        fill_(p().fill, drawn_.wide) {
    fill_at_random(random_, image_, p(), p().in);
    settings_.kernel = p().kernel;
    settings_.padding = p().padding;
    settings_.fill = p().fill.empty() ? nullptr : fill_.data();
  }

  Report run() {
    report_.problem = drawn_.describe();
    compare_forward();
    if (drawn_.differentiable()) compare_backward();
    return report_;
  }

 private:
  const Problem& p() const { return drawn_.problem; }
  Array like_output(Type type) const {
    return Array(type, drawn_.output_layout, p().dims, p().batch, p().channels, p().out.data());
  }
  Array like_image(Type type) const {
    return Array(type, drawn_.output_layout, p().dims, drawn_.image_batch, p().channels, p().in.data());
  }
  // What rounding may do: in the type of the sums and the output, and through coordinates of a few hundred operations.
  double allowed(double scale) const {
    return scale * (drawn_.wide ? 1e-11 : 2e-5) * static_cast<double>(1 + p().functions);
  }
  double steep() const { return drawn_.type == Type::uint8 ? 256.0 : 8.0; }

  void compare_forward() {
    Array output = like_output(drawn_.type), again = like_output(drawn_.type);
    settings_.threads = 1;
    torchstn::forward(image_.view(), output.view(), grid_, settings_);
    settings_.threads = 3;
    torchstn::forward(image_.view(), again.view(), grid_, settings_);
    report_.same_bits = output == again;
    Worst worst{report_};
    for (std::int64_t n = 0; n < p().batch; ++n)
      for (std::int64_t i = 0; i < p().pixels(); ++i) {
        const Vector point = coordinates(p(), n, i);
        if (p().kernel == Kernel::nearest && near_jump(p(), point, MARGIN)) continue;
        for (std::int64_t c = 0; c < p().channels; ++c) {
          double expected = sample(p(), image_, n, c, point, 0.0, nullptr, nullptr);
          if (drawn_.type == Type::uint8) expected = std::clamp(expected, 0.0, 255.0);
          const double rounding = largest_error(drawn_.type) * (drawn_.type == Type::uint8 ? 1 : 2);
          worst.see(output.flat(n, c, i), expected, allowed(steep()) + rounding, "the output");
        }
      }
  }

  void compare_backward() {
    const Type sums = drawn_.wide ? Type::float64 : Type::float32;
    Array grad_output = like_output(drawn_.type);
    fill_at_random(random_, grad_output, p(), p().out);
    const Gradient expected = naive_gradient(grad_output);
    Parameters first(drawn_), second(drawn_);
    Array grad_image = like_image(sums), again = like_image(sums);
    backward(grad_output, grad_image, first, 1);
    backward(grad_output, again, second, 3);
    report_.same_bits = report_.same_bits && grad_image == again && same(first.matrix, second.matrix) &&
                        same(first.offsets, second.offsets) && same(first.points, second.points);
    Worst worst{report_};
    const std::int64_t pixels = p().in[0] * p().in[1] * p().in[2];
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(expected.image.size()); ++i)
      worst.see(grad_image.flat(i / pixels / p().channels, i / pixels % p().channels, i % pixels),
                expected.image[static_cast<std::size_t>(i)], allowed(64.0), "the image's gradient");
    if (p().kernel == Kernel::nearest) return;
    see(worst, first.matrix, expected.matrix, "the matrix's gradient");
    see(worst, first.offsets, expected.offsets, "the offsets' gradient");
    see(worst, first.points, expected.points, "the points' gradient");
  }

  void see(Worst& worst, const Typed& ours, const std::vector<double>& theirs, const char* where) const {
    double scale = 16.0;
    for (const double value : theirs) scale = std::max(scale, std::fabs(value));
    for (std::size_t i = 0; i < theirs.size(); ++i) worst.see(ours.at(i), theirs[i], allowed(8 * scale), where);
  }

  // Also where the kernels wrote nothing, and where that is NaN.
  static bool same(Typed& a, Typed& b) {
    const std::size_t bytes = a.doubles.size() * (a.wide ? sizeof(double) : sizeof(float));
    return bytes == 0 || std::memcmp(a.data(), b.data(), bytes) == 0;
  }

  // Points that are left out get a gradient of zero on the way in, so that neither side counts them.
  Gradient naive_gradient(Array& grad_output) const {
    Gradient to{std::vector<double>(static_cast<std::size_t>(drawn_.image_batch * p().channels * p().in[0] * p().in[1] *
                                                             p().in[2])),
                std::vector<double>(p().matrix.size()), std::vector<double>(p().offsets.size()),
                std::vector<double>(p().points.size())};
    for (std::int64_t n = 0; n < p().batch; ++n)
      for (std::int64_t i = 0; i < p().pixels(); ++i) {
        const Vector point = coordinates(p(), n, i);
        const bool left_out = near_jump(p(), point, MARGIN);
        Vector grad_point{};
        for (std::int64_t c = 0; c < p().channels; ++c) {
          if (left_out) grad_output.set(n, c, i, 0.0);
          sample(p(), image_, n, c, point, grad_output.flat(n, c, i), &to.image, &grad_point);
        }
        carry_back(p(), n, i, grad_point, to);
      }
    return to;
  }

  // The gradients land where the copies of the parameters were.
  void backward(const Array& grad_output, Array& grad_image, Parameters& to, int threads) {
    settings_.threads = threads;
    torchstn::GridGradient grad_grid;
    if (p().kernel != Kernel::nearest) {
      if (!p().matrix.empty()) grad_grid.matrix = to.matrix.data();
      if (!p().offsets.empty()) grad_grid.offsets = to.offsets.data();
      if (!p().points.empty()) grad_grid.points = to.points.data();
    }
    torchstn::backward(image_.view(), grad_output.view(), grid_, settings_, grad_image.view(), grad_grid);
  }

  Random random_;
  Drawn drawn_;
  Parameters parameters_;
  torchstn::Grid grid_;
  Array image_;
  Typed fill_;
  torchstn::Settings settings_;
  Report report_;
};

}  // namespace

Report compare(std::uint64_t seed) { return Comparison(seed).run(); }

}  // namespace check
