/// The sectors by which simulated prices are correlated: the eleven of the GICS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Sector {
    Technology,
    Communication,
    Discretionary,
    Staples,
    Financials,
    HealthCare,
    Industrials,
    Energy,
    Materials,
    Utilities,
    RealEstate,
}

impl Sector {
    /// All sectors. Their order is part of the seed: a change of it changes every invented company.
    pub(super) const ALL: [Self; 11] = [
        Self::Technology,
        Self::Communication,
        Self::Discretionary,
        Self::Staples,
        Self::Financials,
        Self::HealthCare,
        Self::Industrials,
        Self::Energy,
        Self::Materials,
        Self::Utilities,
        Self::RealEstate,
    ];

    pub(super) const COUNT: usize = Self::ALL.len();
}
