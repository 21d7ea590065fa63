"""The two conventions of matrices: y = x W, as programs have it, and y = W x, as on paper."""

from __future__ import annotations

from tensorgrad.viz.derivation import expression as ex
from tensorgrad.viz.derivation.expression import Expr, Symbol

__all__ = ["turned"]


def turned(x: Expr) -> Expr:
    """The transpose of an expression, each matrix of the program read as its own transpose.

    y = x W becomes y = W x.  What `stays` (the weights of a linear layer are (out, in) already)
    keeps its orientation, and so is transposed.
    """
    match x:
        case Symbol(ndim=ndim, stays=stays):
            return ex.Transposed(x) if stays and ndim > 1 else x
        case ex.Gradient(by=by):
            stays = isinstance(by, Symbol) and by.stays and by.ndim > 1
            return ex.Transposed(x) if stays else x
        case ex.Transposed(x=inner):
            return ex.transposed(turned(inner))
        case ex.Times(factors=factors, kind="mat"):
            return ex.Times(tuple(turned(f) for f in reversed(factors)), "mat")
        case ex.Times(factors=factors, kind=kind):
            return ex.Times(tuple(turned(f) for f in factors), kind)
        case ex.Total(indices=("n",), body=body, mean=False):
            return ex.Times((turned(body), ex.Ones()), "mat")
        case ex.Total(indices=indices, body=body, mean=mean):
            return ex.Total(indices, turned(body), mean)
        case ex.Plus(terms=terms):
            return ex.Plus(tuple(turned(t) for t in terms))
        case ex.Minus(x=inner):
            return ex.Minus(turned(inner))
        case ex.Over(top=top, bottom=bottom):
            return ex.Over(turned(top), turned(bottom))
        case ex.Power(base=base, exponent=exponent):
            return ex.Power(turned(base), exponent)
        case ex.Call(name=name, arguments=arguments):
            return ex.Call(name, tuple(turned(a) for a in arguments))
        case ex.Indicator(condition=condition):
            return ex.Indicator(turned(condition))
        case ex.Relation(parts=parts, signs=signs):
            return ex.Relation(tuple(turned(p) for p in parts), signs)
        case ex.Fence(left=left, x=inner, right=right):
            return ex.Fence(left, turned(inner), right)
        case ex.At(x=inner, index=index, brackets=True):
            return ex.At(turned(inner), index, True)
        case ex.At(x=inner, index=index):
            return ex.At(turned(inner), tuple(reversed(index)))
        case ex.Part(gradient=gradient, step=step):
            back = turned(gradient)
            made: Expr = ex.Part(gradient, step)
            return ex.Transposed(made) if isinstance(back, ex.Transposed) else made
    return x
