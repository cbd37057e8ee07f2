"""The desk: what to do next over all cases, the board, the page of a case. It reads everything and writes nothing."""
