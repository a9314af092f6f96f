//! Host tests: features are tested through `route()`, formats through their vectors.
