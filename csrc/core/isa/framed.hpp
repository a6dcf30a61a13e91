// Small images in a frame of the constant that lies outside. Where 28 x 28 pixels are drawn turned, one in seven of the
// output pixels that read any reads across an edge, and tap by tap it takes five times as long; framed, it is one like
// the others.
#pragma once

#include <algorithm>
#include <type_traits>

#include "read.hpp"

TORCHSTN_BEGIN

// One image of a batch: as it is, or a framed copy where that pays.
template <class T, int D, class K>
struct Framed {
  Image image;
  bool is_copy = false;

  Framed(const ForwardJob& job, std::int64_t n, std::int64_t tiles) : image(job.image) {
    const T* data = static_cast<const T*>(image.data) + n * image.batch_stride;
    image.data = const_cast<T*>(data);
    if constexpr (std::is_same_v<T, float> && K::TAPS > 1) {
      if (!pays(job, tiles)) return;
      is_copy = true;
      const Outside<float> outside{static_cast<const float*>(job.fill)};
      for (std::int64_t c = 0; c < image.channels; ++c)
        copy(data + c * job.image.channel_stride, job.image, copy_ + c * image.channel_stride, outside[c]);
      image.data = copy_ + origin();
    }
  }

  Framed(const Framed&) = delete;
  Framed& operator=(const Framed&) = delete;

 private:
  static constexpr std::int64_t LARGEST = 8192;  // floats; the copy lies on the stack
  static constexpr std::int64_t WIDTH = K::TAPS - 1;  // of the frame

  // Makes `image` describe the copy.
  bool pays(const ForwardJob& job, std::int64_t tiles) {
    if (!is_constant(job.padding) || job.grid.grid.wide) return false;
    if (image.stride[0] != 1 || job.output.stride[0] != 1) return false;
    std::int64_t stride[D], plane = 1;
    for (int a = 0; a < D; ++a) {
      stride[a] = plane;
      plane *= image.size[a] + 2 * WIDTH;
      if (plane > LARGEST) return false;
    }
    if (plane * image.channels > LARGEST || plane > tiles * BLOCK) return false;
    for (int a = 0; a < D; ++a) image.stride[a] = stride[a];
    image.channel_stride = plane;
    return true;
  }

  // Of the image's first pixel within a plane.
  std::int64_t origin() const {
    std::int64_t at = 0;
    for (int a = 0; a < D; ++a) at += WIDTH * image.stride[a];
    return at;
  }

  void copy(const float* from, const Image& source, float* to, float constant) const {
    std::fill_n(to, image.channel_stride, constant);
    to += origin();
    const std::int64_t slices = D == 3 ? image.size[2] : 1;
    for (std::int64_t k = 0; k < slices; ++k)
      for (std::int64_t i = 0; i < image.size[1]; ++i)
        copy_row(from + i * source.stride[1] + k * source.stride[2], image.size[0],
                 to + i * image.stride[1] + (D == 3 ? k * image.stride[2] : 0));
  }

  // Short ones are sooner copied than a function is called.
  TORCHSTN_INLINE static void copy_row(const float* from, std::int64_t length, float* to) {
    if (length < LANES || length > 8 * LANES) {
      std::copy_n(from, length, to);
      return;
    }
    Float8 v;
    for (std::int64_t t = 0; t < length; t += LANES) {
      const std::int64_t at = t + LANES <= length ? t : length - LANES;
      load(v, from + at);
      store(to + at, v);
    }
  }

  alignas(64) float copy_[std::is_same_v<T, float> && K::TAPS > 1 ? LARGEST : 1];
};

TORCHSTN_END
