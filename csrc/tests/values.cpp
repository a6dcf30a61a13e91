#include "values.hpp"

#include <cmath>
#include <cstring>

namespace check {
namespace {

constexpr unsigned char UNTOUCHED = 0xFF;  // NaN in every floating type

template <class T>
T load(const unsigned char* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

double from_half(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const double mantissa = bits & 1023;
  double value = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  if (exponent == 31) value = mantissa == 0 ? HUGE_VAL : std::nan("");
  return (bits & 0x8000) != 0 ? -value : value;
}

std::uint16_t to_half(double value) {
  if (value == 0) return 0;
  int exponent;
  const double mantissa = std::frexp(std::fabs(value), &exponent);  // in [0.5, 1)
  const int bits = ((exponent + 14) << 10) + static_cast<int>(mantissa * 2048) - 1024;
  return static_cast<std::uint16_t>(bits | (value < 0 ? 0x8000 : 0));
}

double from_bfloat(std::uint16_t bits) {
  const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof(value));
  return static_cast<double>(value);
}

std::uint16_t to_bfloat(double value) {
  const float narrow = static_cast<float>(value);
  std::uint32_t bits;
  std::memcpy(&bits, &narrow, sizeof(bits));
  return static_cast<std::uint16_t>(bits >> 16);
}

}  // namespace

std::uint64_t Random::next() {  // splitmix64
  std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

std::int64_t Random::below(std::int64_t bound) {
  return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(bound));
}

double Random::between(double low, double high) {
  return low + (high - low) * (static_cast<double>(next() >> 11) * 0x1p-53);
}

std::int64_t bytes_of(Type type) {
  switch (type) {
    case Type::float32: return 4;
    case Type::float64: return 8;
    case Type::uint8: return 1;
    default: return 2;
  }
}

double largest_error(Type type) {
  switch (type) {
    case Type::float64: return 0x1p-52;
    case Type::float32: return 0x1p-23;
    case Type::float16: return 0x1p-10;
    case Type::bfloat16: return 0x1p-7;
    default: return 0.501;
  }
}

Array::Array(Type type, Layout layout, int dims, std::int64_t batch, std::int64_t channels, const std::int64_t* size) {
  view_.type = type;
  view_.batch = batch;
  view_.channels = channels;
  const std::int64_t gap = layout == Layout::strided ? 2 : 1;
  std::int64_t step = gap;
  if (layout == Layout::channels_last) {
    view_.channel_stride = 1;
    step = channels;
  }
  for (int axis = 0; axis < dims; ++axis) {
    view_.size[axis] = size[axis];
    view_.stride[axis] = step;
    step *= size[axis] + gap - 1;
  }
  if (layout != Layout::channels_last) {
    view_.channel_stride = step;
    step *= channels;
  }
  view_.batch_stride = batch == 1 ? 0 : step;
  bytes_.assign(static_cast<std::size_t>(step * batch * bytes_of(type)), UNTOUCHED);
  view_.data = bytes_.data();
}

std::int64_t Array::place(std::int64_t n, std::int64_t c, std::int64_t pixel) const {
  std::int64_t at = n * view_.batch_stride + c * view_.channel_stride;
  for (int axis = 0; axis < torchstn::MAX_DIMS; ++axis) {
    at += pixel % view_.size[axis] * view_.stride[axis];
    pixel /= view_.size[axis];
  }
  return at;
}

double Array::read(std::int64_t place) const {
  const unsigned char* from = bytes_.data() + place * bytes_of(view_.type);
  switch (view_.type) {
    case Type::float32: return static_cast<double>(load<float>(from));
    case Type::float64: return load<double>(from);
    case Type::bfloat16: return from_bfloat(load<std::uint16_t>(from));
    case Type::float16: return from_half(load<std::uint16_t>(from));
    default: return static_cast<double>(*from);
  }
}

double Array::flat(std::int64_t n, std::int64_t c, std::int64_t pixel) const { return read(place(n, c, pixel)); }

double Array::at(std::int64_t n, std::int64_t c, std::int64_t x, std::int64_t y, std::int64_t z) const {
  return flat(n, c, (z * view_.size[1] + y) * view_.size[0] + x);
}

void Array::set(std::int64_t n, std::int64_t c, std::int64_t pixel, double value) {
  unsigned char* to = bytes_.data() + place(n, c, pixel) * bytes_of(view_.type);
  const float narrow = static_cast<float>(value);
  const std::uint16_t half = view_.type == Type::float16 ? to_half(value) : to_bfloat(value);
  switch (view_.type) {
    case Type::float32: std::memcpy(to, &narrow, sizeof(narrow)); break;
    case Type::float64: std::memcpy(to, &value, sizeof(value)); break;
    case Type::uint8: *to = static_cast<unsigned char>(value); break;
    default: std::memcpy(to, &half, sizeof(half));
  }
}

}  // namespace check
