//! Real Docker hosts in network namespaces on one machine.
