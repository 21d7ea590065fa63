"""Rows of the functions that copy what views show, and of places as numbers."""

from sampling import READS_MEMORY, SHAPE_VARIES, Dtype, case, cplx, fixed, real, row, truth, whole

# fmt: off
COPIES = [
    *(row(name, case(real(2, 3)), case(real()), case(real(0, 2)))
      for name in ("alias_copy", "clone")),
    *(row(name, case(real(2, 3, grad=False)), case(real(grad=False)), differentiable=False)
      for name in ("detach", "detach_copy")),
    row("fill", case(real(2, 3), 1.5), case(real(2, 3), real()), case(real(), 2)),
    row("fill", case(whole(2, 3, below=9), 2.5), case(truth(2), 3), differentiable=False),
    row("diagonal_copy", case(real(3, 4)), case(real(2, 3, 3), 1, -2, -1)),
    row("expand_copy", case(real(2, 1), (2, 3)), case(real(3), (2, -1)),
        case(real(1), (4,), implicit=True)),
    row("narrow_copy", case(real(4, 3), 0, 1, 2), case(real(3), -1, 3, 0)),
    row("permute_copy", case(real(2, 3, 2), (2, 0, 1)), case(real(2, 3), (-1, 0))),
    row("select_copy", case(real(2, 3), 0, 1), case(real(2, 3), -1, -1)),
    row("slice_copy", case(real(5, 2)), case(real(5, 2), 0, 1, 4, 2), case(real(2, 5), -1, -3),
        case(real(3), start=1, end=9), case(real(4), 0, 3, 1)),
    row("split_copy", case(real(5, 2), 2), case(real(2, 4), 2, -1)),
    *(row(name, case(real(5, 2), (2, 3)), case(real(2, 4), [1, 3], -1))
      for name in ("split_with_sizes", "split_with_sizes_copy", "unsafe_split_with_sizes")),
    row("unsafe_split", case(real(5, 2), 2), case(real(2, 4), 2, dim=-1)),
    row("unsafe_chunk", case(real(5, 2), 2), case(real(2, 6), 3, -1)),
    row("squeeze_copy", case(real(1, 3, 1)), case(real(1, 3, 1), 0), case(real(1, 3, 1), (0, -1))),
    row("t_copy", case(real(2, 3)), case(real(3)), case(real())),
    row("transpose_copy", case(real(2, 3), 0, 1), case(real(2, 3, 2), -1, 0)),
    row("unbind_copy", case(real(2, 3)), case(real(2, 3), 1)),
    row("unfold_copy", case(real(5), 0, 2, 1), case(real(2, 6), -1, 3, 2)),
    row("unsqueeze_copy", case(real(2, 3), 0), case(real(2, 3), -1), case(real(), 0)),
    row("view_copy", case(real(2, 3), (3, 2)), case(real(2, 3), (-1,)),
        vmap=READS_MEMORY),
    row("view_copy", case(real(2, 4, grad=False), dtype=Dtype("int64")), differentiable=False,
        vmap=READS_MEMORY),
    row("view_as_complex_copy", case(real(3, 2)), case(real(2)), torch=None,
        reason="PyTorch's takes no tensors that require grad"),
    row("view_as_real_copy", case(cplx(2, 3)), case(cplx())),
    row("unravel_index", case(whole(2, 3, below=6), (2, 3)), case(whole(below=6), 6),
        case(fixed([7, -1, -9]), (2, 3)), differentiable=False),
    row("nonzero_static", case(real(2, 3, of="with zeros"), size=3), case(truth(2, 3), size=9),
        case(truth(4), size=2, fill_value=7), case(truth(), size=2), differentiable=False,
        vmap=SHAPE_VARIES),
]
# fmt: on
