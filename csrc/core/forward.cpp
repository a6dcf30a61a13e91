// The forward pass, split into ranges of output pixels.

#include <algorithm>

#include "fold.hpp"
#include "instruction_sets.hpp"
#include "split.hpp"
#include "threads.hpp"

namespace torchstn {

void forward(const Image& image, const Image& output, const Grid& grid, const Settings& settings) {
  const FoldedGrid folded(grid, image);
  const ForwardJob job{image, output, folded.pixel_grid(), settings.padding, settings.fill};
  const auto run = kernels().forward[static_cast<int>(image.type)][static_cast<int>(settings.kernel)][grid.dims - 2];
  const std::int64_t pixels = grid.pixels(), batch = output.batch;
  if (grid.kind == GridKind::basis && batch > 1) {
    // Block by block through the whole batch: what is stored of the functions is then read once, not once per image.
    const std::int64_t blocks = (pixels + BLOCK - 1) / BLOCK;
    parallel_for(blocks, useful_threads(settings.threads, batch * pixels * image.channels), [&](std::int64_t block) {
      const std::int64_t first = block * BLOCK, last = std::min(pixels, first + BLOCK);
      for (std::int64_t n = 0; n < batch; ++n) run(job, n, first, last);
    });
    return;
  }
  const int threads = useful_threads(settings.threads, batch * pixels * image.channels);
  const Split split(pixels, threads == 1 ? 1 : pieces_for(batch, threads));
  parallel_for(batch * split.pieces, threads, [&](std::int64_t unit) {
    const std::int64_t piece = unit % split.pieces;
    run(job, unit / split.pieces, split.first(piece), split.last(piece));
  });
}

}  // namespace torchstn
