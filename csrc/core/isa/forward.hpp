// image, grid -> output for a range of tiles: coordinates, taps, values.
#pragma once

#include <type_traits>

#include "padded.hpp"
#include "read.hpp"

TORCHSTN_BEGIN

// Coordinates and taps of one tile, in the grid's type.
template <int D, class K, class W>
struct Block {
  Tile tile;
  Taps<D, W> taps;

  void find(const PixelGrid& grid, std::int64_t n, const Geometry<D>& geometry, Padding padding) {
    const bool constant = padding == Padding::zeros || padding == Padding::fill;
    with_coordinates(grid, *this, [&](auto& at) {
      evaluate(grid, n, tile, at);
      find_taps<D, K>(tile, at, geometry, constant, taps);
    });
  }

  // Carries gradients of the coordinates back to the grid.
  void carry(const BackwardJob& job, const Part& part, W (&gradient)[MAX_DIMS][BLOCK]) const {
    with_coordinates(job.grid, *this, [&](auto& at) { reduce(job, part, tile, at, gradient); });
  }

  // The first tap's index along the slowest axis; see `slow_indices`.
  void slow(const PixelGrid& grid, std::int32_t (&to)[BLOCK]) const {
    with_coordinates(grid, *this, [&](auto& at) { slow_indices<D, K>(tile, at, taps, to); });
  }

  void point(const PixelGrid& grid, int t, double (&x)[D]) const {
    for (int a = 0; a < D; ++a) x[a] = grid.grid.wide ? wide.axis[a][t] : static_cast<double>(narrow.axis[a][t]);
  }

 private:
  // Float64 images have float64 coordinates, so what would go from narrow to wide is never compiled.
  template <class Self, class Use>
  TORCHSTN_INLINE static void with_coordinates(const PixelGrid& grid, Self& self, const Use& use) {
    if constexpr (std::is_same_v<W, float>) {
      if (!grid.grid.wide) return use(self.narrow);
    }
    use(self.wide);
  }

  Coordinates<float> narrow;
  Coordinates<double> wide;
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
void read_tile(const ForwardJob& job, const Block<D, K, typename Compute<T>::type>& block,
               const Geometry<D>& geometry, const T* image, T* output) {
  using W = typename Compute<T>::type;
  const Deltas<D, K> deltas(geometry);
  const std::int64_t channels = job.image.channels;
  const Outside<W> outside{static_cast<const W*>(job.fill)};
  if constexpr (std::is_same_v<T, float>) {
    const Layouts<T> layouts(job.image, job.output);
    if constexpr (K::TAPS > 1) {
      if (block.taps.inside && layouts.last)
        return read_last<K>(block.tile, block.taps, deltas, image, output, channels, outside);
    }
    if (block.taps.inside && layouts.planar)
      return read_planes(K(), block.tile, block.taps, deltas, Planes<const float>{image, job.image.channel_stride},
                         Planes<float>{output, job.output.channel_stride}, channels, outside);
  }
  read_strided<T, K>(block.tile, block.taps, deltas, image, job.image.channel_stride, output,
                     job.output.channel_stride, job.output.stride[0], channels, outside);
}

template <class T, int D, class K>
void read_padded(const ForwardJob& job, const Block<D, K, typename Compute<T>::type>& block,
                 const Geometry<D>& geometry, const T* image, T* output) {
  using W = typename Compute<T>::type;
  const Outside<W> outside{static_cast<const W*>(job.fill)};
  for (int other = 0; other < block.taps.others; ++other) {
    const int t = block.taps.other[other];
    double x[D];
    block.point(job.grid, t, x);
    const PaddedTaps<D, K, W, false> taps(x, geometry, job.padding, job.grid.grid.align_corners);
    T* to = output + pixel_of(block.tile, t) * job.output.stride[0];
    for (std::int64_t c = 0; c < job.image.channels; ++c) {
      const T* from = image + c * job.image.channel_stride;
      const W value = taps.value(outside[c], [&](std::int64_t offset) { return widen(from[offset]); });
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
  for (std::int64_t index = first; index < last; ++index) {
    job.tiling.tile(index, block.tile);
    block.find(job.grid, n, geometry, job.padding);
    read_tile<T, D, K>(job, block, geometry, image, output);
    read_padded<T, D, K>(job, block, geometry, image, output);
  }
}

TORCHSTN_END
