// torchstn._native: tensors in, checked pointers to the core. No arithmetic, and no link to torch: a tensor is
// asked for its data_ptr(), shape, stride() and dtype, so one binary serves every version of torch.

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <string>
#include <vector>

#include "core/api.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using namespace torchstn;

[[noreturn]] void refuse(const std::string& message) { throw nb::value_error(message.c_str()); }

void require(bool held, const char* name, const char* rule) {
  if (!held) refuse(std::string("`") + name + "` " + rule);
}

// What a tensor says of itself. Its memory belongs to the caller for the duration of a call.
struct Tensor {
  void* data = nullptr;
  Type type = Type::float32;
  std::vector<std::int64_t> shape, stride;

  std::int64_t dims() const { return static_cast<std::int64_t>(shape.size()); }
  std::int64_t operator[](std::size_t axis) const { return shape[axis]; }

  std::int64_t count() const {
    std::int64_t product = 1;
    for (const auto length : shape) product *= length;
    return product;
  }

  bool contiguous() const {
    std::int64_t expected = 1;
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      if (shape[axis] != 1 && stride[axis] != expected) return false;
      expected *= shape[axis];
    }
    return true;
  }
};

std::vector<std::int64_t> integers(nb::handle tuple) {
  std::vector<std::int64_t> values;
  if (!PyTuple_Check(tuple.ptr())) throw nb::type_error("sizes must be tuples of int");
  const auto count = PyTuple_Size(tuple.ptr());
  values.reserve(static_cast<std::size_t>(count));
  for (Py_ssize_t k = 0; k < count; ++k) values.push_back(PyLong_AsLongLong(PyTuple_GetItem(tuple.ptr(), k)));
  if (PyErr_Occurred()) throw nb::python_error();
  return values;
}

// Names of attributes and torch's type objects, looked up once; they live as long as the interpreter.
struct Words {
  PyObject *data_ptr, *shape, *stride, *dtype;
  PyObject* types[5];

  static const Words& get() {
    static const Words words;
    return words;
  }

 private:
  Words() {
    data_ptr = PyUnicode_InternFromString("data_ptr");
    shape = PyUnicode_InternFromString("shape");
    stride = PyUnicode_InternFromString("stride");
    dtype = PyUnicode_InternFromString("dtype");
    const nb::module_ torch = nb::module_::import_("torch");
    const char* names[5] = {"float32", "float64", "bfloat16", "float16", "uint8"};
    for (int k = 0; k < 5; ++k) types[k] = torch.attr(names[k]).inc_ref().ptr();
  }
};

nb::object attribute(nb::handle object, PyObject* name) {
  PyObject* value = PyObject_GetAttr(object.ptr(), name);
  if (value == nullptr) throw nb::python_error();
  return nb::steal(value);
}

nb::object call(nb::handle object, PyObject* name) {
  PyObject* self = object.ptr();
  PyObject* value = PyObject_VectorcallMethod(name, &self, 1, nullptr);
  if (value == nullptr) throw nb::python_error();
  return nb::steal(value);
}

Tensor describe(nb::handle object, const char* name) {
  const Words& words = Words::get();
  Tensor tensor;
  tensor.shape = integers(attribute(object, words.shape));
  tensor.stride = integers(call(object, words.stride));
  require(tensor.shape.size() == tensor.stride.size(), name, "must have as many strides as axes");
  for (const auto length : tensor.shape) require(length >= 0, name, "must have sizes of 0 and more");
  for (const auto step : tensor.stride) require(step >= 0, name, "must have strides of 0 and more");
  const nb::object dtype = attribute(object, words.dtype);
  int type = 0;
  while (type < 5 && words.types[type] != dtype.ptr()) ++type;
  if (type == 5) throw nb::type_error((std::string("`") + name + "` has a type that is not supported").c_str());
  tensor.type = static_cast<Type>(type);
  const nb::object pointer = call(object, words.data_ptr);
  tensor.data = PyLong_AsVoidPtr(pointer.ptr());
  if (PyErr_Occurred()) throw nb::python_error();
  require(tensor.data != nullptr || tensor.count() == 0, name, "must have memory");
  return tensor;
}

std::optional<Tensor> describe_if(nb::handle object, const char* name) {
  if (object.is_none()) return std::nullopt;
  return describe(object, name);
}

Image image_of(const Tensor& tensor, const char* name, int dims) {
  require(tensor.dims() == dims + 2, name, "must be (n, c, *size) with as many axes as the grid");
  Image image;
  image.data = tensor.data;
  image.type = tensor.type;
  image.batch = tensor[0];
  image.channels = tensor[1];
  image.batch_stride = tensor[0] == 1 ? 0 : tensor.stride[0];
  image.channel_stride = tensor.stride[1];
  for (int axis = 0; axis < dims; ++axis) {
    const auto from = static_cast<std::size_t>(1 + dims - axis);
    image.size[axis] = tensor[from];
    image.stride[axis] = tensor.stride[from];
    require(tensor[from] > 0 && tensor[from] < LONGEST_AXIS, name, "must have between 1 and 2^30 - 1 pixels an axis");
  }
  require(image.batch > 0 && image.channels > 0, name, "must not be empty");
  return image;
}

// What is written must be dense, plane after plane or channels last. Strides of axes with one entry say
// nothing and are made canonical.
Image target_of(const Tensor& tensor, const char* name, int dims) {
  Image image = image_of(tensor, name, dims);
  const auto dense = [&](bool last) {
    Image wanted = image;
    std::int64_t step = 1;
    if (last) {
      wanted.channel_stride = 1;
      step = image.channels;
    }
    for (int axis = 0; axis < dims; ++axis) {
      wanted.stride[axis] = step;
      step *= image.size[axis];
    }
    if (!last) {
      wanted.channel_stride = step;
      step *= image.channels;
    }
    wanted.batch_stride = image.batch == 1 ? 0 : step;
    bool same = image.channels == 1 || image.channel_stride == wanted.channel_stride;
    same &= image.batch_stride == wanted.batch_stride;
    for (int axis = 0; axis < dims; ++axis) same &= image.size[axis] == 1 || image.stride[axis] == wanted.stride[axis];
    return same ? std::optional<Image>(wanted) : std::nullopt;
  };
  if (const auto planar = dense(false)) return *planar;
  const auto last = dense(true);
  require(last.has_value(), name, "must be contiguous or channels_last");
  return *last;
}

struct Call {
  Grid grid;
  Settings settings;
};

void take_matrix(Grid& grid, const std::vector<Tensor>& parameters) {
  const Tensor& matrix = parameters[0];
  const std::int64_t d = grid.dims;
  require(matrix.dims() == 3 && matrix[2] == d + 1 && (matrix[1] == d || matrix[1] == d + 1), "matrix",
          "must be (n, d, d + 1) or (n, d + 1, d + 1)");
  require(matrix.contiguous(), "matrix", "must be contiguous");
  grid.matrix = matrix.data;
  grid.matrix_batch = matrix[0];
  grid.projective = matrix[1] == d + 1;
  grid.batch = matrix[0];
}

void take_offsets(Grid& grid, const std::vector<Tensor>& parameters) {
  const Tensor& offsets = parameters[1];
  require(!grid.projective, "matrix", "of a basis must be affine");
  require(offsets.dims() == 3 && offsets[2] == grid.dims && offsets.contiguous(), "offsets",
          "must be (n, functions, d), contiguous");
  grid.offsets = offsets.data;
  grid.offsets_batch = offsets[0];
  grid.functions = offsets[1];
  require(grid.matrix_batch == offsets[0] || grid.matrix_batch == 1 || offsets[0] == 1, "offsets",
          "must have the batch of the matrix, or one of them 1");
  grid.batch = std::max(grid.matrix_batch, offsets[0]);
}

void take_values(Grid& grid, const std::vector<Tensor>& parameters) {
  const Tensor& values = parameters[2];
  require(values.count() == grid.functions * grid.pixels() && values.dims() >= 1 && values[0] == grid.functions &&
              values.contiguous(),
          "values", "must be (functions, pixels), contiguous");
  grid.values[0] = values.data;
}

void take_separable(Grid& grid, const std::vector<Tensor>& parameters) {
  std::int64_t product = 1;
  for (int axis = 0; axis < grid.dims; ++axis) {
    const Tensor& weights = parameters[static_cast<std::size_t>(1 + grid.dims - axis)];
    require(weights.dims() == 2 && weights[1] == grid.size[axis] && weights.contiguous(), "weights",
            "must be (points, size) of each axis, contiguous");
    grid.values[axis] = weights.data;
    grid.count[axis] = weights[0];
    product *= weights[0];
  }
  require(product == grid.functions, "offsets", "must have one function per product of the axes' functions");
}

void take_points(Grid& grid, const std::vector<Tensor>& parameters) {
  const Tensor& points = parameters[0];
  const auto d = static_cast<std::size_t>(grid.dims);
  require(points.dims() == grid.dims + 2 && points[d + 1] == grid.dims, "points", "must be (n, *size, d)");
  grid.points = points.data;
  grid.batch = points[0];
  grid.points_batch_stride = points[0] == 1 ? 0 : points.stride[0];
  grid.component_stride = points.stride[d + 1];
  for (std::size_t axis = 0; axis < d; ++axis) {
    require(points[d - axis] == grid.size[axis], "points", "must have the size of the output");
    grid.points_stride[axis] = points.stride[d - axis];
  }
}

Grid grid_of(int kind, const std::vector<Tensor>& parameters, const std::vector<std::int64_t>& size,
             bool align_corners) {
  Grid grid;
  require(kind >= 0 && kind <= 5, "kind", "must be between 0 and 5");
  require(size.size() == 2 || size.size() == 3, "size", "must have 2 or 3 axes");
  grid.kind = static_cast<GridKind>(kind);
  grid.dims = static_cast<int>(size.size());
  grid.align_corners = align_corners;
  for (int axis = 0; axis < grid.dims; ++axis) {
    grid.size[axis] = size[size.size() - 1 - static_cast<std::size_t>(axis)];
    require(grid.size[axis] > 0 && grid.size[axis] < LONGEST_AXIS, "size", "must be between 1 and 2^30 - 1");
  }
  const std::size_t expected = grid.kind == GridKind::basis       ? 3
                               : grid.kind == GridKind::separable ? static_cast<std::size_t>(2 + grid.dims)
                                                                  : 1;
  require(parameters.size() == expected, "parameters", "must be those of the kind of grid");
  grid.wide = parameters[0].type == Type::float64;
  for (const Tensor& tensor : parameters)
    require(tensor.type == (grid.wide ? Type::float64 : Type::float32), "parameters", "must all be float32 or all float64");
  if (grid.has_matrix()) take_matrix(grid, parameters);
  else take_points(grid, parameters);
  if (grid.kind == GridKind::basis || grid.kind == GridKind::separable) take_offsets(grid, parameters);
  if (grid.kind == GridKind::basis) take_values(grid, parameters);
  if (grid.kind == GridKind::separable) take_separable(grid, parameters);
  require(grid.batch > 0, "parameters", "must not be empty");
  return grid;
}

Settings settings_of(int kernel, int padding, const std::optional<Tensor>& fill, int threads, const Image& image) {
  require(kernel >= 0 && kernel <= 2, "kernel", "must be between 0 and 2");
  require(padding >= 0 && padding <= 4, "padding", "must be between 0 and 4");
  Settings settings;
  settings.kernel = static_cast<Kernel>(kernel);
  settings.padding = static_cast<Padding>(padding);
  settings.threads = threads;
  if (settings.padding != Padding::fill) return settings;
  require(fill.has_value(), "fill", "is needed with that padding");
  require(fill->dims() == 1 && (*fill)[0] == image.channels && fill->contiguous(), "fill", "must be (c,), contiguous");
  require(fill->type == (computes_wide(image.type) ? Type::float64 : Type::float32), "fill",
          "must be float32, or float64 for a float64 image");
  settings.fill = fill->data;
  return settings;
}

std::vector<Tensor> describe_all(nb::tuple objects, const char* name) {
  std::vector<Tensor> tensors;
  tensors.reserve(objects.size());
  for (const nb::handle object : objects) tensors.push_back(describe(object, name));
  return tensors;
}

void check_together(const Image& image, const Image& output, const Grid& grid) {
  require(output.type == image.type, "output", "must have the type of the image");
  require(output.channels == image.channels, "output", "must have the channels of the image");
  require(!computes_wide(image.type) || grid.wide, "parameters", "must be float64 for a float64 image");
  for (int axis = 0; axis < grid.dims; ++axis)
    require(output.size[axis] == grid.size[axis], "output", "must have the size of the grid");
  for (const std::int64_t batch : {image.batch, grid.batch})
    require(batch == output.batch || batch == 1, "output", "must have the batch of image and grid");
  require(output.batch == std::max(image.batch, grid.batch), "output", "must have the batch of image and grid");
}

void run_forward(nb::handle image_, nb::handle output_, int kind, nb::tuple parameters_, nb::handle size_,
                 bool align_corners, int kernel, int padding, nb::handle fill_, int threads) {
  const Grid grid = grid_of(kind, describe_all(parameters_, "parameters"), integers(size_), align_corners);
  const Image image = image_of(describe(image_, "image"), "image", grid.dims);
  const Image output = target_of(describe(output_, "output"), "output", grid.dims);
  check_together(image, output, grid);
  const Settings settings = settings_of(kernel, padding, describe_if(fill_, "fill"), threads, image);
  const nb::gil_scoped_release release;
  forward(image, output, grid, settings);
}

GridGradient gradient_of(nb::tuple objects, const std::vector<Tensor>& parameters, const Grid& grid) {
  require(objects.size() == parameters.size(), "grad_parameters", "must be one per parameter");
  GridGradient gradient;
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    const auto tensor = describe_if(objects[k], "grad_parameters");
    if (!tensor) continue;
    require(tensor->shape == parameters[k].shape && tensor->type == parameters[k].type && tensor->contiguous(),
            "grad_parameters", "must be shaped and typed as the parameters, contiguous");
    require(k < 2, "grad_parameters", "must be None for the functions of a basis");
    if (!grid.has_matrix()) gradient.points = tensor->data;
    else if (k == 0) gradient.matrix = tensor->data;
    else gradient.offsets = tensor->data;
  }
  return gradient;
}

void run_backward(nb::handle image_, nb::handle grad_output_, int kind, nb::tuple parameters_, nb::handle size_,
                  bool align_corners, int kernel, int padding, nb::handle fill_, int threads, nb::handle grad_image_,
                  nb::tuple grad_parameters_) {
  const std::vector<Tensor> parameters = describe_all(parameters_, "parameters");
  const Grid grid = grid_of(kind, parameters, integers(size_), align_corners);
  const Image image = image_of(describe(image_, "image"), "image", grid.dims);
  require(image.type != Type::uint8, "image", "of type uint8 has no gradient");
  const Image grad_output = target_of(describe(grad_output_, "grad_output"), "grad_output", grid.dims);
  check_together(image, grad_output, grid);
  const Settings settings = settings_of(kernel, padding, describe_if(fill_, "fill"), threads, image);
  const GridGradient grad_grid = gradient_of(grad_parameters_, parameters, grid);
  require(settings.kernel != Kernel::nearest || !grad_grid.wanted(), "grad_parameters", "must be None with kernel nearest");
  Image grad_image;
  if (const auto tensor = describe_if(grad_image_, "grad_image")) {
    grad_image = target_of(*tensor, "grad_image", grid.dims);
    require(tensor->type == (computes_wide(image.type) ? Type::float64 : Type::float32), "grad_image",
            "must be float32, or float64 for a float64 image");
    bool same = grad_image.batch == image.batch && grad_image.channels == image.channels;
    for (int axis = 0; axis < grid.dims; ++axis) same &= grad_image.size[axis] == image.size[axis];
    require(same, "grad_image", "must be shaped as the image");
  }
  const nb::gil_scoped_release release;
  backward(image, grad_output, grid, settings, grad_image, grad_grid);
}

}  // namespace

NB_MODULE(_native, m) {
  m.doc() = "The CPU sampler; torchstn.sampler.native is its only user.";
  m.def("forward", &run_forward, "image"_a, "output"_a, "kind"_a, "parameters"_a, "size"_a, "align_corners"_a, "kernel"_a,
        "padding"_a, "fill"_a.none(), "threads"_a);
  m.def("backward", &run_backward, "image"_a, "grad_output"_a, "kind"_a, "parameters"_a, "size"_a, "align_corners"_a,
        "kernel"_a, "padding"_a, "fill"_a.none(), "threads"_a, "grad_image"_a.none(), "grad_parameters"_a);
  m.def("instruction_sets", &instruction_sets);
  m.def("instruction_set", &instruction_set);
  m.def("use_instruction_set", [](const std::string& name) {
    if (!use_instruction_set(name)) refuse("`name` must be one of instruction_sets(), got '" + name + "'");
  });
}
