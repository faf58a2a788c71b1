//! Commands and how they are rendered.
