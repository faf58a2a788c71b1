//! The HTTP API: routes, authentication, permissions.
