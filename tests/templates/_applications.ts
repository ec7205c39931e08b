/** What the tests of the templates of applications share. */

/** A name that breaks out of whatever is not closed well. */
export const ODD_NAME =
  "*/ \"'` \\ {0} %s ${evil()} \u2028 ??/ C:\\new <script> 日本語";

/** Runs the tests of a project whose types are checked elsewhere. */
export const TEST_AS_IT_IS: readonly string[] = ["test", "-A", "--no-check"];
