//! The agent as a whole, from a controller's end of the tunnel to a scripted engine behind it.

#[cfg(test)]
mod bed;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod files;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod garbage;
#[cfg(test)]
mod joining;
#[cfg(test)]
mod leases;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod previews;
#[cfg(test)]
mod real;
#[cfg(test)]
mod reconnect;
#[cfg(test)]
mod talks;
#[cfg(test)]
mod terminals;
#[cfg(test)]
mod trust;
