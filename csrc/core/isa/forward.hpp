// image, grid -> output for a range of output pixels: coordinates, taps, values.
#pragma once

#include <type_traits>

#include "padded.hpp"
#include "read.hpp"

TORCHSTN_BEGIN

// Coordinates and taps of one block, in the grid's type.
template <int D, class K, class W>
struct Block {
  Coordinates<float> narrow;
  Coordinates<double> wide;
  Taps<D, W> taps;

  void find(const PixelGrid& grid, std::int64_t n, std::int64_t first, int count, const Geometry<D>& geometry) {
    is_wide = grid.grid.wide;
    if constexpr (std::is_same_v<W, float>) {
      if (!is_wide) {
        evaluate(grid, n, first, count, narrow);
        return find_taps<D, K>(narrow, count, geometry, taps);
      }
    }
    evaluate(grid, n, first, count, wide);
    find_taps<D, K>(wide, count, geometry, taps);
  }

  // Carries gradients of the coordinates back to the grid.
  void carry(const BackwardJob& job, const Part& part, std::int64_t first, W (&gradient)[MAX_DIMS][ROOM]) const {
    if constexpr (std::is_same_v<W, float>) {
      if (!is_wide) return reduce(job, part, first, taps.count, narrow, gradient);
    }
    reduce(job, part, first, taps.count, wide, gradient);
  }

  // The first tap's index along the slowest axis; see `slow_indices`.
  void slow(std::int32_t (&to)[ROOM]) const {
    if constexpr (std::is_same_v<W, float>) {
      if (!is_wide) return slow_indices<D, K>(narrow, taps, to);
    }
    slow_indices<D, K>(wide, taps, to);
  }

  void point(int t, double (&x)[D]) const {
    for (int a = 0; a < D; ++a) x[a] = is_wide ? wide.axis[a][t] : static_cast<double>(narrow.axis[a][t]);
  }

 private:
  bool is_wide = false;
};

template <class T>
struct Layouts {
  bool planar, last;

  Layouts(const Image& image, const Image& other) {
    constexpr bool fast = std::is_same_v<T, float>;
    last = fast && image.channel_stride == 1 && other.channel_stride == 1 && image.channels > 1;
    planar = fast && !last && image.stride[0] == 1 && other.stride[0] == 1;
  }
};

template <class T, int D, class K>
void read_inside(const ForwardJob& job, const Taps<D, typename Compute<T>::type>& taps,
                 const Geometry<D>& geometry, const T* image, T* output) {
  const Deltas<D, K> deltas(geometry);
  const std::int64_t channels = job.image.channels;
  const Layouts<T> layouts(job.image, job.output);
  if constexpr (K::TAPS == 1) {
    copy_strided(taps, image, job.image.channel_stride, output, job.output.channel_stride, job.output.stride[0],
                 channels);
  } else {
    if constexpr (std::is_same_v<T, float>) {
      if (layouts.last) return read_last<K>(taps, deltas, image, output, channels);
      if (layouts.planar)
        return read_planes(K(), taps, deltas, Planes<const float>{image, job.image.channel_stride},
                           Planes<float>{output, job.output.channel_stride}, channels);
    }
    read_strided<T, K>(taps, deltas, image, job.image.channel_stride, output, job.output.channel_stride,
                       job.output.stride[0], channels);
  }
}

template <class T, int D, class K>
void read_padded(const ForwardJob& job, const Block<D, K, typename Compute<T>::type>& block,
                 const Geometry<D>& geometry, const T* image, T* output) {
  using W = typename Compute<T>::type;
  const auto* fill = static_cast<const W*>(job.fill);
  for (int other = 0; other < block.taps.others; ++other) {
    const int t = block.taps.other[other];
    double x[D];
    block.point(t, x);
    const PaddedTaps<D, K, W, false> taps(x, geometry, job.padding, job.grid.grid.align_corners);
    T* to = output + t * job.output.stride[0];
    for (std::int64_t c = 0; c < job.image.channels; ++c) {
      const T* from = image + c * job.image.channel_stride;
      const W value = taps.value(fill ? fill[c] : W(0), [&](std::int64_t offset) { return widen(from[offset]); });
      narrow(value, to[c * job.output.channel_stride]);
    }
  }
}

template <class T, int D, class K>
void forward(const ForwardJob& job, std::int64_t n, std::int64_t first, std::int64_t last) {
  const Geometry<D> geometry(job.image);
  const T* image = static_cast<const T*>(job.image.data) + n * job.image.batch_stride;
  T* output = static_cast<T*>(job.output.data) + n * job.output.batch_stride;
  Block<D, K, typename Compute<T>::type> block;
  for (std::int64_t at = first; at < last; at += BLOCK) {
    const int count = last - at < BLOCK ? static_cast<int>(last - at) : BLOCK;
    block.find(job.grid, n, at, count, geometry);
    T* to = output + at * job.output.stride[0];
    if (block.taps.inside) read_inside<T, D, K>(job, block.taps, geometry, image, to);
    if (block.taps.others) read_padded<T, D, K>(job, block, geometry, image, to);
  }
}

TORCHSTN_END
