//! Documents with revisions, compare-and-put, watch, leases and leadership.
