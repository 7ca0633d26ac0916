//! nginx: tokens, blocks, words.
