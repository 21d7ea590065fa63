"""Writing logs that TensorBoard shows; needs the package tensorboard, an extra of this one."""

from tensorgrad.utils.tensorboard.writer import SummaryWriter

__all__ = ["SummaryWriter"]
