"""PyTorch's path of what `tensorgrad.nn.rnn` and `tensorgrad.nn.rnn_cells` define."""

from tensorgrad.nn.rnn import GRU, LSTM, RNN, RNNBase
from tensorgrad.nn.rnn_cells import GRUCell, LSTMCell, RNNCell, RNNCellBase

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]
