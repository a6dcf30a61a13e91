// Numbers of every type in every layout, each seen as a double.
#pragma once

#include <cstdint>
#include <vector>

#include "core/api.hpp"

namespace check {

using torchstn::Image;
using torchstn::Type;

// The same numbers on every machine, which the standard library's distributions are not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::int64_t below(std::int64_t bound);
  double between(double low, double high);

 private:
  std::uint64_t next();
  std::uint64_t state_;
};

enum class Layout { planar, channels_last, strided };

// An image that owns its memory. Places between its elements hold a value that no sum should ever meet.
class Array {
 public:
  Array(Type type, Layout layout, int dims, std::int64_t batch, std::int64_t channels, const std::int64_t* size);
  Array(Array&&) = default;
  Array(const Array&) = delete;  // the view points into its own bytes

  double at(std::int64_t n, std::int64_t c, std::int64_t x, std::int64_t y, std::int64_t z) const;
  void set(std::int64_t n, std::int64_t c, std::int64_t pixel, double value);  // exactly representable ones
  double flat(std::int64_t n, std::int64_t c, std::int64_t pixel) const;
  const Image& view() const { return view_; }
  bool operator==(const Array& other) const { return bytes_ == other.bytes_; }

 private:
  std::int64_t place(std::int64_t n, std::int64_t c, std::int64_t pixel) const;
  double read(std::int64_t place) const;

  std::vector<unsigned char> bytes_;
  Image view_;
};

std::int64_t bytes_of(Type type);
double largest_error(Type type);  // of rounding a number below 2 to the type

}  // namespace check
