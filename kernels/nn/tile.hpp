// A product computed tile by tile inside a team: what the attention's products have in common.
#ifndef KAON_NN_TILE_HPP
#define KAON_NN_TILE_HPP

#include <kaon/core/types.hpp>

#include <cstring>
#include <utility>

namespace kaon::tile {

/// Tile shape: on the host two vectors wide, with accumulators in half of the vector registers; on a GPU each thread keeps a
/// small square.
template <class T, class Exec>
inline constexpr int rows = runs_on_host<Exec>&& host_vector_bytes == 64 ? 8 : 4;
template <class T, class Exec>
inline constexpr int columns = runs_on_host<Exec> ? 2 * host_vector_bytes / static_cast<int>(sizeof(T)) : 4;

/// sum + a·b; on a device in one instruction, where builds contract nothing.
template <class T>
KOKKOS_INLINE_FUNCTION T add_product(T const sum, T const a, T const b) {
#if defined(__CUDA_ARCH__) || defined(__HIP_DEVICE_COMPILE__)
  return ::fma(a, b, sum);
#else
  return sum + a * b;
#endif
}

/// A(i, k) = data[i·row + k·step].
template <class T>
struct Left {
  T const* data;
  int row;
  int step;
};

// GCC unrolls a small loop over an array before it could vectorize it, so host lines are its (and Clang's) vector type. An entry
// sees the same operations in the same order either way.
#if defined(__GNUC__) && !defined(__CUDACC__) && !defined(__HIPCC__)
#define KAON_TILE_VECTOR 1
template <class T>
struct HostVector {
  typedef T type __attribute__((vector_size(host_vector_bytes)));
};

// f(0) … f(n − 1) without a loop: accumulators indexed by a loop that GCC leaves standing live in memory.
template <class F, int... I>
inline void unroll(std::integer_sequence<int, I...>, F const& f) {
  (f(I), ...);
}
template <int n, class F>
inline void unrolled(F const& f) {
  unroll(std::make_integer_sequence<int, n>(), f);
}
#else
#define KAON_TILE_VECTOR 0
#endif

// Builds contract no expression; here a product and a sum may be one instruction, where the host has it.
#if KAON_TILE_VECTOR && !defined(__clang__)
#define KAON_TILE_CONTRACT __attribute__((optimize("fp-contract=fast")))
#else
#define KAON_TILE_CONTRACT
#endif

/// R rows × C columns of C ← alpha · Σ_{k in [begin, end)} A(r, k) B(k, c); rows of B and C are `ldb` and `ldc` apart.
template <class T, int R, int C>
KAON_TILE_CONTRACT KOKKOS_INLINE_FUNCTION void multiply_full(T* const c, int const ldc, Left<T> const a, T const* const b,
                                                             int const ldb, int const begin, int const end, T const alpha) {
#if KAON_TILE_VECTOR
  using V = typename HostVector<T>::type;
  constexpr int lanes = host_vector_bytes / static_cast<int>(sizeof(T));
  static_assert(C % lanes == 0);
  constexpr int N = C / lanes;
  V sum[R * N];
  unrolled<R * N>([&](int const t) { sum[t] = V{}; });
  for (int k = begin; k < end; ++k) {
    V right[N];
    unrolled<N>([&](int const v) { std::memcpy(&right[v], b + k * ldb + v * lanes, sizeof right[v]); });
    unrolled<R>([&](int const r) {
      T const left = a.data[r * a.row + k * a.step];
      unrolled<N>([&](int const v) { sum[r * N + v] += left * right[v]; });
    });
  }
  unrolled<R * N>([&](int const t) {
    V const out = alpha * sum[t];
    std::memcpy(c + (t / N) * ldc + (t % N) * lanes, &out, sizeof out);
  });
#else
  T sum[R][C] = {};
  for (int k = begin; k < end; ++k)
    for (int r = 0; r < R; ++r) {
      T const left = a.data[r * a.row + k * a.step];
      for (int v = 0; v < C; ++v) sum[r][v] = add_product(sum[r][v], left, b[k * ldb + v]);
    }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < C; ++v) c[r * ldc + v] = alpha * sum[r][v];
#endif
}

/// The same for a tile cut by the matrix's edge: height ≤ R rows, width ≤ C columns.
template <class T, int C>
KOKKOS_INLINE_FUNCTION void multiply_edge(T* const c, int const ldc, Left<T> const a, T const* const b, int const ldb,
                                          int const begin, int const end, int const height, int const width, T const alpha) {
  for (int r = 0; r < height; ++r) {
    T sum[C] = {};
    for (int k = begin; k < end; ++k)
      for (int v = 0; v < width; ++v) sum[v] = add_product(sum[v], a.data[r * a.row + k * a.step], b[k * ldb + v]);
    for (int v = 0; v < width; ++v) c[r * ldc + v] = alpha * sum[v];
  }
}

/// Which part of a causal (lower triangular, context×context) product is wanted.
enum class Causal {
  output,      ///< C is lower triangular: tiles above the diagonal are skipped
  left,        ///< A is lower triangular: k stops at the tile's last row
  transposed,  ///< A is the transpose of a lower triangular matrix: k starts at the tile's first row
};

/// C (m×n) ← alpha · A B with inner length `inner`, by the whole team; no barrier after it.
/// A lower triangular A must hold zeros above its diagonal up to the end of the tile row (the next multiple of tile::rows).
template <class T, class Exec, Causal kind, class Member>
KOKKOS_INLINE_FUNCTION void product(Member const& team, T* const c, int const ldc, Left<T> const a, T const* const b,
                                    int const ldb, int const m, int const n, int const inner, T const alpha) {
  constexpr int R = rows<T, Exec>;
  constexpr int C = columns<T, Exec>;
  int const down = (m + R - 1) / R;
  int const across = (n + C - 1) / C;
  Kokkos::parallel_for(Kokkos::TeamThreadRange(team, down * across), [=](int const t) {
    int const i = (t / across) * R;
    int const j = (t % across) * C;
    int const last = i + R < m ? i + R : m;
    if (kind == Causal::output && j >= last) return;
    int const begin = kind == Causal::transposed ? i : 0;
    int const end = kind == Causal::left ? last : inner;
    Left<T> const from{a.data + i * a.row, a.row, a.step};
    T* const to = c + i * ldc + j;
    int const room = n - j < C ? n - j : C;
    int const wanted = kind == Causal::output && last - j < room ? last - j : room;
    int done = 0;
    if (last - i == R && room == C && wanted > C / 2) {
      multiply_full<T, R, C>(to, ldc, from, b + j, ldb, begin, end, alpha);
      done = C;
    } else if (last - i == R && room >= C / 2) {
      multiply_full<T, R, C / 2>(to, ldc, from, b + j, ldb, begin, end, alpha);
      done = C / 2;
    }
    if (done < wanted) multiply_edge<T, C>(to + done, ldc, from, b + j + done, ldb, begin, end, last - i, wanted - done, alpha);
  });
}

/// to (width×height, contiguous) ← fromᵀ, `from` being height×width with rows `ld` apart; by the whole team.
template <class T, class Member>
KOKKOS_INLINE_FUNCTION void transpose(Member const& team, T* const to, T const* const from, int const ld, int const height,
                                      int const width) {
  Kokkos::parallel_for(Kokkos::TeamThreadRange(team, height), [=](int const i) {
    for (int j = 0; j < width; ++j) to[j * height + i] = from[i * ld + j];
  });
}

}  // namespace kaon::tile

#endif
