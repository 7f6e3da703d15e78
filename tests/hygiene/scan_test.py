"""The scan finds what it is there for, and nothing in sound code."""
import scan

ROOMS = {"core", "linalg"}
SOUND = [
    'Kokkos::parallel_for("kaon::fill", Policy(exec, 0, n), f);',
    'Kokkos::parallel_for(\n      "kaon::fill", Policy(exec, 0, n), f);',
    "Kokkos::parallel_for(Kokkos::TeamThreadRange(team, n), f);",
    "Kokkos::RangePolicy<Exec> const bins(exec, 0, 2);",
    "using Policy = Kokkos::TeamPolicy<Exec>;",
    'Kokkos::parallel_for(label + "_final", Policy(exec, 1), f);',
    'Matrix<T, Exec> a("kaon::a", 3, 4);',
    'W_.emplace_back("kaon::method::W", rows, cols);',
    'throw UsageError("a message");',
    "// parallel_for(Policy(exec)) and Kokkos::Experimental in a comment",
    "#include <kaon/core/types.hpp>",
    'reduce_sum(exec, "kaon::norm", r, p, n, f);',
]
BROKEN = [
    'Kokkos::parallel_for("kaon::fill", Kokkos::RangePolicy<Exec>(0, n), f);',
    "Kokkos::TeamPolicy<Exec> const teams(1, 256);",
    "exec.fence();",
    "Kokkos::parallel_for(Kokkos::RangePolicy<Exec>(exec, 0, n), f);",
    'Kokkos::parallel_for("fill", Policy(exec, 0, n), f);',
    "Kokkos::parallel_reduce(n, f, sum);",
    'Matrix<T, Exec> a("a", 3, 4);',
    'Kokkos::View<T**, Kokkos::LayoutRight> a("work", 3, 4);',
    'R_("residual", 3, 4)',
    'Matrix<T, Exec>(Kokkos::view_alloc(Kokkos::WithoutInitializing, "a"), 3, 4)',
    'reduce_sum(exec, "norm", r, p, n, f);',
    'pack_codes<1>(exec, "signs", out, n, f);',
    "typename V::HostMirror h;",
    "Kokkos::Experimental::HIP exec;",
    "#include <mpi.h>",
    '#include "hdf5.h"',
    "#include <kaon/method/ef21_muon/server.hpp>",
    'KokkosBlas::gemm(exec, "T", "N", 1, A, B, 0, C);',
    "KokkosBlas::dot(exec, x, y);",
    "cublasSdot(handle, n, x, 1, y, 1, &r);",
    "check(cublasSsyrk(handle, n), 0);",
    "rocblas_sdot(handle, n);",
    "Kokkos::atomic_add(&sum, x);",
    'std::ofstream out("x");',
    'auto* f = std::fopen(path, "w");',
    "open(path, O_WRONLY | O_CREAT, 0666);",
    'fmt::print("{}", 1);',
]

for text in SOUND:
    assert not list(scan.breaches("kernels/x.cpp", text, ROOMS)), text
for text in BROKEN:
    assert len(list(scan.breaches("kernels/x.cpp", text, ROOMS))) == 1, text
assert not list(scan.breaches("kernels/linalg/svd_host.cpp", "exec.fence();", ROOMS))
assert not list(scan.breaches("src/x.cpp", "#include <mpi.h>", ROOMS))
assert not list(scan.breaches("src/files/part.cpp", "open(path, O_CREAT)", ROOMS))
assert not list(scan.breaches("src/x.cpp", "std::ifstream in; fmt::format(a); files::print(b);", ROOMS))
assert not list(scan.breaches("kernels/core/compat.hpp", "Kokkos::Experimental::HIP exec;", ROOMS))
assert [line for line, _ in scan.breaches("src/x.cpp", '/* 1\n2 */\n\nf(); parallel_for(n, f);', ROOMS)] == [4]
for path, text in {
    "kernels/linalg/gemm.cpp": 'KokkosBlas::gemm(exec, a, b, alpha, A, B, beta, C);',
    "kernels/linalg/tpl/cublas.hpp": "cublasSgemmStridedBatched(cublas_on(exec), n); cublasSetStream(handle, s); cublasCreate(&h);",
    "kernels/linalg/tpl/rocblas.hpp": "rocblas_gemm(exec, m); rocblas_set_stream(h, s); rocblas_dgemm_strided_batched(rocblas_on(exec));",
    "kernels/compress/select.cpp": "Kokkos::atomic_fetch_add(counter, 1U);",
}.items():
    assert not list(scan.breaches(path, text, ROOMS)), text
PAGE = "# The method\n\n## 1. Problem\n\n## 2. A step\n"
assert not list(scan.wrong_citations({"a.hpp": "// method.md §2, server rows", "b.cpp": "method.md"}, PAGE))
assert list(scan.wrong_citations({"a.hpp": "(method.md §1; method.md §3)"}, PAGE)) == [("a.hpp", "3")]
print(len(SOUND) + len(BROKEN), "snippets judged rightly")
