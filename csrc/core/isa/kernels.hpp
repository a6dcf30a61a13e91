// Sampling kernels: how many pixels an axis reads, and their weights at a fraction of a pixel (equation 3).
#pragma once

#include <cstdint>

#include "vectors.hpp"

TORCHSTN_BEGIN

// FIRST is the first pixel read, counted from the one at or before the point. A point from LOW to
// length - BELOW reads inside the image only. `weights` and `slopes` (their derivatives by the fraction) take
// numbers and vectors alike.

struct Nearest {
  static constexpr int TAPS = 1, FIRST = 0;
  static constexpr double LOW = -0.5, BELOW = 0.5;

  template <class V>
  TORCHSTN_INLINE static void weights(const V& f, V (&w)[1]) {
    w[0] = f * 0 + 1;
  }
};

struct Linear {
  static constexpr int TAPS = 2, FIRST = 0;
  static constexpr double LOW = 0, BELOW = 1;

  template <class V>
  TORCHSTN_INLINE static void weights(const V& f, V (&w)[2]) {
    w[0] = 1 - f;
    w[1] = f;
  }
  template <class V>
  TORCHSTN_INLINE static void slopes(const V& f, V (&s)[2]) {
    s[0] = f * 0 - 1;
    s[1] = f * 0 + 1;
  }
};

// Keys' cubic with torch's and OpenCV's slope.
struct Cubic {
  static constexpr int TAPS = 4, FIRST = -1;
  static constexpr double LOW = 1, BELOW = 2;
  static constexpr float A = -0.75f;

  template <class V>
  TORCHSTN_INLINE static void weights(const V& f, V (&w)[4]) {
    w[0] = far(f + 1);
    w[1] = near(f);
    w[2] = near(1 - f);
    w[3] = far(2 - f);
  }
  template <class V>
  TORCHSTN_INLINE static void slopes(const V& f, V (&s)[4]) {
    s[0] = far_slope(f + 1);
    s[1] = near_slope(f);
    s[2] = -near_slope(1 - f);
    s[3] = -far_slope(2 - f);
  }

 private:
  template <class V>
  TORCHSTN_INLINE static V near(const V& x) {
    return ((A + 2) * x - (A + 3)) * x * x + 1;
  }
  template <class V>
  TORCHSTN_INLINE static V far(const V& x) {
    return ((A * x - 5 * A) * x + 8 * A) * x - 4 * A;
  }
  template <class V>
  TORCHSTN_INLINE static V near_slope(const V& x) {
    return (3 * (A + 2) * x - 2 * (A + 3)) * x;
  }
  template <class V>
  TORCHSTN_INLINE static V far_slope(const V& x) {
    return (3 * A * x - 10 * A) * x + 8 * A;
  }
};

constexpr int power(int base, int exponent) { return exponent == 0 ? 1 : base * power(base, exponent - 1); }

TORCHSTN_END
