"""Makes inter-latin.woff2: see README.md. Usage: subset.py inter-latin-wght-normal.woff2"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

UNICODES = "20-7E,A0-FF,131,152-153,2C6,2DA,2DC,2013-2014,2018-201A,201C-201E,2022,2026,2039-203A,20AC,2122,2191,2193,2212"

font = instancer.instantiateVariableFont(TTFont(sys.argv[1]), {"wght": (400, 700)})

# Tabular figures become the default: a canvas has no font features, and the CSS unit `ch` is measured without them.
table = font["GSUB"].table
tabular = {}
for record in table.FeatureList.FeatureRecord:
    if record.FeatureTag == "tnum":
        for index in record.Feature.LookupListIndex:
            for part in table.LookupList.Lookup[index].SubTable:
                tabular.update(getattr(part, "ExtSubTable", part).mapping)
for cmap in font["cmap"].tables:
    cmap.cmap.update({code: tabular[glyph] for code, glyph in cmap.cmap.items() if glyph in tabular and chr(code) in "0123456789"})

options = subset.Options(layout_features=["kern", "ccmp", "locl", "mark"], flavor="woff2")
cutter = subset.Subsetter(options)
cutter.populate(unicodes=subset.parse_unicodes(UNICODES))
cutter.subset(font)
subset.save_font(font, str(Path(__file__).with_name("inter-latin.woff2")), options)
