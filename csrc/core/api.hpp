// The CPU sampler: image, grid -> output, and its gradients, without any tensor of coordinates.
//
// Plain C++17: it knows neither Python nor torch. Everything is a pointer, a size and a stride; strides count
// elements. Axes are numbered x, y, z: axis 0 is the last axis of the array. The definition of every number
// that comes out is the reference sampler in src/torchstn/sampler/reference.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// The kernels are compiled once per instruction set. A function that all copies share must not be left to the linker,
// which would keep one of them for all machines.
#if defined(__GNUC__)
#define TORCHSTN_INLINE inline __attribute__((always_inline))
#else
#define TORCHSTN_INLINE inline
#endif

namespace torchstn {

constexpr int MAX_DIMS = 3;
constexpr std::int64_t LONGEST_AXIS = std::int64_t{1} << 30;  // pixel indices are kept in 32 bits

enum class Type : int { float32, float64, bfloat16, float16, uint8 };
enum class Kernel : int { nearest, linear, cubic };
enum class Padding : int { zeros, border, reflection, circular, fill };

// Whether what lies outside is a constant, not pixels of the image.
TORCHSTN_INLINE constexpr bool is_constant(Padding padding) {
  return padding == Padding::zeros || padding == Padding::fill;
}

// How the grid says where the output reads; see src/torchstn/grid.
enum class GridKind : int {
  matrix,        // affine or projective
  basis,         // affine, plus functions stored on the whole lattice times offsets
  separable,     // the same, the functions being products of one function per axis
  absolute,      // normalised points
  displacement,  // normalised points, minus the lattice
  pixels,        // points in pixels of the input
};

// (n, c, *size).
struct Image {
  void* data = nullptr;
  Type type = Type::float32;
  std::int64_t batch = 1;
  std::int64_t channels = 1;
  std::int64_t size[MAX_DIMS] = {1, 1, 1};
  std::int64_t batch_stride = 0;  // 0: one image for every grid
  std::int64_t channel_stride = 0;
  std::int64_t stride[MAX_DIMS] = {0, 0, 0};

  TORCHSTN_INLINE std::int64_t pixels() const { return size[0] * size[1] * size[2]; }
  // Of a dense image.
  TORCHSTN_INLINE std::size_t bytes(int item) const {
    return static_cast<std::size_t>(batch * channels * pixels()) * static_cast<std::size_t>(item);
  }
};

struct Grid {
  GridKind kind = GridKind::matrix;
  int dims = 2;
  bool wide = false;  // coordinates and all parameters are float64, else float32
  bool align_corners = false;
  std::int64_t batch = 1;
  std::int64_t size[MAX_DIMS] = {1, 1, 1};  // of the output

  // matrix, basis, separable: (n or 1, rows, dims + 1), contiguous.
  const void* matrix = nullptr;
  std::int64_t matrix_batch = 1;
  bool projective = false;
  // basis, separable: (n or 1, functions, dims), contiguous.
  const void* offsets = nullptr;
  std::int64_t offsets_batch = 1;
  std::int64_t functions = 0;
  // basis: values[0] is (functions, pixels). separable: values[a] is (count[a], size[a]).
  const void* values[MAX_DIMS] = {nullptr, nullptr, nullptr};
  std::int64_t count[MAX_DIMS] = {1, 1, 1};
  // absolute, displacement, pixels: (n or 1, *size, dims).
  const void* points = nullptr;
  std::int64_t points_batch_stride = 0;
  std::int64_t points_stride[MAX_DIMS] = {0, 0, 0};
  std::int64_t component_stride = 1;

  TORCHSTN_INLINE std::int64_t pixels() const { return size[0] * size[1] * size[2]; }
  TORCHSTN_INLINE int rows() const { return projective ? dims + 1 : dims; }
  TORCHSTN_INLINE bool has_matrix() const { return kind <= GridKind::separable; }
};

// Where the gradients of a grid go, each contiguous and shaped as its parameter; null where not wanted.
struct GridGradient {
  void* matrix = nullptr;
  void* offsets = nullptr;
  void* points = nullptr;

  TORCHSTN_INLINE bool wanted() const { return matrix != nullptr || offsets != nullptr || points != nullptr; }
};

struct Settings {
  Kernel kernel = Kernel::linear;
  Padding padding = Padding::zeros;
  const void* fill = nullptr;  // one value per channel in the compute type; null is zeros
  int threads = 1;
};

constexpr int item_size(Type type) {
  return type == Type::float64 ? 8 : type == Type::float32 ? 4 : type == Type::uint8 ? 1 : 2;
}

// The type sums are made in: float64 for float64 images, else float32.
constexpr bool computes_wide(Type type) { return type == Type::float64; }

// Reads `image` at `grid` into `output` (planar or channels last), in the image's type.
void forward(const Image& image, const Image& output, const Grid& grid, const Settings& settings);

// Gradients of the output, `grad_output`, carried back to the image (in the compute type, planar or channels
// last as grad_output is; data null where not wanted) and to the grid. Everything asked for is written whole,
// with the same bits whatever the number of threads.
void backward(const Image& image, const Image& grad_output, const Grid& grid, const Settings& settings,
              const Image& grad_image, const GridGradient& grad_grid);

// Instruction sets in this binary that this machine has, best first; the one in use; a change of it.
std::vector<std::string> instruction_sets();
std::string instruction_set();
bool use_instruction_set(const std::string& name);

}  // namespace torchstn
