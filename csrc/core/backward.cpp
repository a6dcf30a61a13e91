// The backward pass. No two parts write to the same place, and sums are made in an order that does not depend on
// the number of threads.

#include <cstring>

#include "fold.hpp"
#include "instruction_sets.hpp"
#include "memory.hpp"
#include "split.hpp"
#include "threads.hpp"

namespace torchstn {

namespace {

// Partial sums per image: few enough to be small, enough for many threads.
constexpr std::int64_t PARTIALS = 16;

class Backward {
 public:
  Backward(const BackwardJob& job, Kernel kernel, int threads)
      : job_(job),
        run_(kernels().backward[static_cast<int>(job.image.type)][static_cast<int>(kernel)][job.grid.grid.dims - 2]),
        threads_(useful_threads(threads, job.grad_output.batch * job.grid.grid.pixels() * job.image.channels)),
        batch_(job.grad_output.batch),
        split_(job.tiling.tiles(), PARTIALS),
        size_(partial_size(job.grid.grid)),
        image_(job.grad_image.data != nullptr),
        grid_(job.grad_grid.wanted() && kernel != Kernel::nearest) {}

  void run() {
    if (grid_ && size_) partials_.assign(static_cast<std::size_t>(batch_ * split_.pieces * size_), 0.0);
    const bool own_image = job_.grad_image.batch_stride != 0 || batch_ == 1;
    const bool own_points = job_.grid.grid.batch == batch_;
    if (grid_ && image_ && own_image && own_points && batch_ >= threads_) {
      // The functions of a basis are read once for all images of a group.
      const std::int64_t groups = job_.grid.grid.kind == GridKind::basis ? threads_ : batch_;
      parallel_for(groups, threads_, [&](std::int64_t group) {
        whole_images(batch_ * group / groups, batch_ * (group + 1) / groups);
      });
    } else {
      if (grid_) grid_gradient();
      if (image_) image_gradient();
    }
    if (grid_ && size_) unfold();
  }

 private:
  std::int64_t slow_length() const { return job_.image.size[job_.grid.grid.dims - 1]; }

  // The image's gradient is contiguous; planes of one pixel make its channels neighbours too.
  bool channels_last() const {
    return job_.grad_image.channels > 1 && job_.grad_image.stride[0] == job_.grad_image.channels;
  }

  Part part(std::int64_t n, std::int64_t piece) {
    Part part;
    part.n = n;
    part.first = split_.first(piece);
    part.last = split_.last(piece);
    part.channel_last = job_.image.channels;
    part.slab_last = slow_length();
    if (!partials_.empty()) part.partial = partials_.data() + (n * split_.pieces + piece) * size_;
    return part;
  }

  // Both gradients of some images at once: their coordinates are found only once.
  void whole_images(std::int64_t first, std::int64_t last) {
    for (std::int64_t n = first; n < last; ++n) clear(n, 0, job_.image.channels, 0, slow_length());
    for (std::int64_t piece = 0; piece < split_.pieces; ++piece)
      for (std::int64_t n = first; n < last; ++n) {
        Part p = part(n, piece);
        p.image = p.grid = true;
        run_(job_, p);
      }
  }

  void grid_gradient() {
    // Points shared by a batch are written by one part.
    const bool shared = job_.grid.grid.kind == GridKind::basis || job_.grid.grid.batch != batch_;
    parallel_for(shared ? split_.pieces : batch_ * split_.pieces, threads_, [&](std::int64_t unit) {
      const std::int64_t piece = unit % split_.pieces;
      if (!shared) return grid_part(unit / split_.pieces, piece);
      for (std::int64_t n = 0; n < batch_; ++n) grid_part(n, piece);
    });
  }

  void grid_part(std::int64_t n, std::int64_t piece) {
    Part p = part(n, piece);
    p.grid = true;
    p.accumulate_points = n > 0 && job_.grid.grid.batch != batch_;
    run_(job_, p);
  }

  // Parts own an image, some of its channels, or a slab of it.
  void image_gradient() {
    const std::int64_t images = job_.grad_image.batch_stride != 0 ? batch_ : 1;
    const bool last = channels_last();
    const std::int64_t wanted = threads_ == 1 ? 1 : (2 * threads_ + images - 1) / images;
    const std::int64_t groups = last ? 1 : std::min(wanted, job_.image.channels);
    const std::int64_t slabs = std::min((wanted + groups - 1) / groups, slow_length());
    std::vector<Reach> reach;
    if (slabs > 1) reach = find_reach();
    parallel_for(images * groups * slabs, threads_, [&](std::int64_t unit) {
      const std::int64_t slab = unit % slabs, group = unit / slabs % groups, image = unit / slabs / groups;
      Part p = part(image, 0);
      p.image = true;
      p.first = 0;
      p.last = split_.tiles;
      p.channel_first = job_.image.channels * group / groups;
      p.channel_last = job_.image.channels * (group + 1) / groups;
      p.slab_first = slow_length() * slab / slabs;
      p.slab_last = slow_length() * (slab + 1) / slabs;
      clear(image, p.channel_first, p.channel_last, p.slab_first, p.slab_last);
      for (std::int64_t n = image; n < (images == 1 ? batch_ : image + 1); ++n) {
        p.n = n;
        if (slabs > 1) p.reach = reach.data() + n * split_.tiles;
        run_(job_, p);
      }
    });
  }

  // Of every tile of every image: a slab's part then looks at its own tiles only.
  std::vector<Reach> find_reach() {
    std::vector<Reach> reach(static_cast<std::size_t>(batch_ * split_.tiles));
    const auto find = kernels().reach[job_.grid.grid.wide];
    parallel_for(batch_ * split_.pieces, threads_, [&](std::int64_t unit) {
      const std::int64_t n = unit / split_.pieces, piece = unit % split_.pieces;
      for (std::int64_t tile = split_.first(piece); tile < split_.last(piece); ++tile)
        reach[static_cast<std::size_t>(n * split_.tiles + tile)] = find(job_, n, tile);
    });
    return reach;
  }

  // Zeros in a slab of some channels of the image's gradient, which is contiguous in one of two layouts.
  void clear(std::int64_t n, std::int64_t c0, std::int64_t c1, std::int64_t first, std::int64_t last) {
    const Image& to = job_.grad_image;
    const std::int64_t bytes = computes_wide(job_.image.type) ? 8 : 4;
    const std::int64_t step = to.stride[job_.grid.grid.dims - 1];
    char* data = static_cast<char*>(to.data) + n * to.batch_stride * bytes;
    const auto zero = [&](std::int64_t from, std::int64_t count) {
      std::memset(data + from * bytes, 0, static_cast<std::size_t>(count * bytes));
    };
    if (channels_last()) return zero(first * step, (last - first) * step);
    for (std::int64_t c = c0; c < c1; ++c) zero(c * to.channel_stride + first * step, (last - first) * step);
  }

  void unfold() {
    std::vector<double> sums(static_cast<std::size_t>(batch_ * size_), 0.0);
    for (std::int64_t n = 0; n < batch_; ++n)
      for (std::int64_t piece = 0; piece < split_.pieces; ++piece)
        for (std::int64_t e = 0; e < size_; ++e)
          sums[static_cast<std::size_t>(n * size_ + e)] +=
              partials_[static_cast<std::size_t>((n * split_.pieces + piece) * size_ + e)];
    unfold_gradient(job_.grid, batch_, sums.data(), job_.grad_grid);
  }

  const BackwardJob& job_;
  const KernelTable::Backward run_;
  const int threads_;
  const std::int64_t batch_;
  const Split split_;
  const std::int64_t size_;
  const bool image_, grid_;
  std::vector<double> partials_;
};

}  // namespace

void backward(const Image& image, const Image& grad_output, const Grid& grid, const Settings& settings,
              const Image& grad_image, const GridGradient& grad_grid) {
  if (grad_image.data != nullptr) expect_large(grad_image.data, grad_image.bytes(computes_wide(image.type) ? 8 : 4));
  const FoldedGrid folded(grid, image);
  const Tiling tiling(grid.size);
  const BackwardJob job{tiling, image, grad_output, folded.pixel_grid(), settings.padding, settings.fill, grad_image, grad_grid};
  Backward(job, settings.kernel, settings.threads).run();
}

}  // namespace torchstn
