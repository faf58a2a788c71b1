//! What travels over HTTP: bodies of requests and answers.
