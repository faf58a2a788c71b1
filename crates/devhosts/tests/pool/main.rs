//! Pools of real Docker hosts on this machine: made, used, broken, removed.

#[cfg(test)]
mod canaries;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod etcd;
#[cfg(test)]
mod life;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod support;
#[cfg(test)]
mod together;
