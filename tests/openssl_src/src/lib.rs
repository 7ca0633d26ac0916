//! Empty: the package exists for its dependency alone.
