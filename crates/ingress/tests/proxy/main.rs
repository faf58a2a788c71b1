//! The ingress over real sockets, between clients and programs that do what they like.

#[cfg(test)]
mod bed;
#[cfg(test)]
mod ending;
#[cfg(test)]
mod hostile_client;
#[cfg(test)]
mod hostile_upstream;
#[cfg(test)]
mod passing;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod websockets;
