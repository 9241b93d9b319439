/** Where the panels of the board are: a tree of splits, its changes by the user, and the boxes that result. Pure. */
export { cssOf, pixelsOf, placementOf, type Box, type Placement, type Separator } from "./boxes";
export { firstLayout, readLayout, treeOf, withTree, writeLayout, type Form, type Layout, type Rows } from "./layout";
export { beside, idsOf, moved, resized, splitAt, swapped, without, type Axis, type Direction, type LayoutNode, type Path } from "./tree";
