use crate::cases;

cases!();
