//! What records, names and labels promise to the parts that share them.

#[cfg(test)]
mod courses;
#[cfg(test)]
mod environments;
#[cfg(test)]
mod pool;
#[cfg(test)]
mod records;
#[cfg(test)]
mod saves;
#[cfg(test)]
mod workspaces;
