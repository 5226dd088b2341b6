import type { RequiredPermission, Route } from '../http/route.ts'
import * as checks from './checks.ts'
import * as comments from './comments.ts'
import * as commits from './commits.ts'
import { deleteContent, getContent, putContent } from './contents.ts'
import * as issues from './issues.ts'
import * as labels from './labels.ts'
import { getPermission } from './members.ts'
import * as pulls from './pulls.ts'
import * as reactions from './reactions.ts'
import * as refs from './refs.ts'
import * as releases from './releases.ts'
import * as reviewComments from './review-comments.ts'
import * as reviews from './reviews.ts'
import { createStatus, getCombinedStatus, listStatuses } from './statuses.ts'

const may = (permission: string, level: 'read' | 'write', ...alternatives: string[]): RequiredPermission => ({
  ...{ permission, level, alternatives },
})

const repository = '/repos/{owner}/{repo}'
const issue = `${repository}/issues/{issue_number}`
const comment = `${repository}/issues/comments/{comment_id}`
const reviewComment = `${repository}/pulls/comments/{comment_id}`
const checkRun = `${repository}/check-runs/{check_run_id}`

// A pull request has the comments and labels of an issue, so either the permission for issues or the one for pull
// requests is enough.
const [reading, writing] = [may('issues', 'read', 'pull_requests'), may('issues', 'write', 'pull_requests')]

const reactionRoutes: readonly Route[] = [
  { method: 'GET', path: `${issue}/reactions`, access: reading, answer: reactions.listIssueReactions },
  { method: 'POST', path: `${issue}/reactions`, access: writing, answer: reactions.createIssueReaction },
  { method: 'GET', path: `${comment}/reactions`, access: reading, answer: reactions.listCommentReactions },
  { method: 'POST', path: `${comment}/reactions`, access: writing, answer: reactions.createCommentReaction },
  {
    ...{ method: 'DELETE', path: `${issue}/reactions/{reaction_id}`, access: writing },
    answer: reactions.deleteIssueReaction,
  },
  {
    ...{ method: 'DELETE', path: `${comment}/reactions/{reaction_id}`, access: writing },
    answer: reactions.deleteCommentReaction,
  },
  {
    ...{ method: 'DELETE', path: `${reviewComment}/reactions/{reaction_id}`, access: may('pull_requests', 'write') },
    answer: reactions.deleteCommentReaction,
  },
  {
    ...{ method: 'GET', path: `${reviewComment}/reactions`, access: may('pull_requests', 'read') },
    answer: reactions.listCommentReactions,
  },
  {
    ...{ method: 'POST', path: `${reviewComment}/reactions`, access: may('pull_requests', 'write') },
    answer: reactions.createCommentReaction,
  },
]

const pull = `${repository}/pulls/{pull_number}`
const review = `${pull}/reviews/{review_id}`
const [readingPulls, writingPulls] = [may('pull_requests', 'read'), may('pull_requests', 'write')]

const pullRoutes: readonly Route[] = [
  { method: 'GET', path: `${repository}/pulls`, access: readingPulls, answer: pulls.listPulls },
  { method: 'POST', path: `${repository}/pulls`, access: writingPulls, answer: pulls.createPull },
  { method: 'GET', path: pull, access: readingPulls, answer: pulls.getPull },
  { method: 'PATCH', path: pull, access: writingPulls, answer: pulls.updatePull },
  { method: 'GET', path: `${pull}/files`, access: readingPulls, answer: pulls.listPullFiles },
  { method: 'GET', path: `${pull}/commits`, access: readingPulls, answer: pulls.listPullCommits },
  { method: 'GET', path: `${pull}/merge`, access: readingPulls, answer: pulls.checkMerged },
  { method: 'PUT', path: `${pull}/merge`, access: may('contents', 'write'), answer: pulls.mergePull },
  { method: 'GET', path: `${pull}/reviews`, access: readingPulls, answer: reviews.listReviews },
  { method: 'POST', path: `${pull}/reviews`, access: writingPulls, answer: reviews.createReview },
  { method: 'GET', path: review, access: readingPulls, answer: reviews.getReview },
  { method: 'GET', path: `${review}/comments`, access: readingPulls, answer: reviewComments.listCommentsOfReview },
  { method: 'GET', path: `${pull}/comments`, access: readingPulls, answer: reviewComments.listReviewComments },
  { method: 'POST', path: `${pull}/comments`, access: writingPulls, answer: reviewComments.createReviewComment },
  {
    ...{ method: 'POST', path: `${pull}/comments/{comment_id}/replies`, access: writingPulls },
    answer: reviewComments.createReviewCommentReply,
  },
  {
    ...{ method: 'GET', path: `${repository}/pulls/comments`, access: readingPulls },
    answer: reviewComments.listRepositoryReviewComments,
  },
  { method: 'GET', path: reviewComment, access: readingPulls, answer: reviewComments.getReviewComment },
  { method: 'PATCH', path: reviewComment, access: writingPulls, answer: reviewComments.updateReviewComment },
  { method: 'DELETE', path: reviewComment, access: writingPulls, answer: reviewComments.deleteReviewComment },
  { method: 'GET', path: `${pull}/requested_reviewers`, access: readingPulls, answer: reviews.listRequestedReviewers },
  { method: 'POST', path: `${pull}/requested_reviewers`, access: writingPulls, answer: reviews.requestReviewers },
  { method: 'DELETE', path: `${pull}/requested_reviewers`, access: writingPulls, answer: reviews.removeReviewers },
]

const [readingContents, writingContents] = [may('contents', 'read'), may('contents', 'write')]
const ref = `${repository}/git/refs/{ref}`

const codeRoutes: readonly Route[] = [
  { method: 'GET', path: `${repository}/contents/{path}`, access: readingContents, answer: getContent },
  { method: 'PUT', path: `${repository}/contents/{path}`, access: writingContents, answer: putContent },
  { method: 'DELETE', path: `${repository}/contents/{path}`, access: writingContents, answer: deleteContent },
  { method: 'GET', path: `${repository}/branches`, access: readingContents, answer: refs.listBranches },
  { method: 'GET', path: `${repository}/branches/{branch}`, access: readingContents, answer: refs.getBranch },
  { method: 'GET', path: `${repository}/git/ref/{ref}`, access: readingContents, answer: refs.getRef },
  {
    ...{ method: 'GET', path: `${repository}/git/matching-refs/{ref}` },
    ...{ access: readingContents, answer: refs.listMatchingRefs },
  },
  { method: 'POST', path: `${repository}/git/refs`, access: writingContents, answer: refs.createRef },
  { method: 'PATCH', path: ref, access: writingContents, answer: refs.updateRef },
  { method: 'DELETE', path: ref, access: writingContents, answer: refs.deleteRef },
  { method: 'GET', path: `${repository}/tags`, access: readingContents, answer: refs.listTags },
  { method: 'POST', path: `${repository}/git/tags`, access: writingContents, answer: refs.createTagObject },
  { method: 'GET', path: `${repository}/git/tags/{tag_sha}`, access: readingContents, answer: refs.getTagObject },
  { method: 'GET', path: `${repository}/commits`, access: readingContents, answer: commits.listCommits },
  { method: 'GET', path: `${repository}/compare/{basehead}`, access: readingContents, answer: commits.compareCommits },
]

const release = `${repository}/releases/{release_id}`

const releaseRoutes: readonly Route[] = [
  { method: 'GET', path: `${repository}/releases`, access: readingContents, answer: releases.listReleases },
  { method: 'POST', path: `${repository}/releases`, access: writingContents, answer: releases.createRelease },
  { method: 'GET', path: `${repository}/releases/latest`, access: readingContents, answer: releases.getLatestRelease },
  {
    method: 'GET',
    path: `${repository}/releases/tags/{tag}`,
    access: readingContents,
    answer: releases.getReleaseByTag,
  },
  { method: 'GET', path: release, access: readingContents, answer: releases.getRelease },
  { method: 'PATCH', path: release, access: writingContents, answer: releases.updateRelease },
  { method: 'DELETE', path: release, access: writingContents, answer: releases.deleteRelease },
]

/** The content of repositories, which bots read and write. */
export const repositoryRoutes: readonly Route[] = [
  { method: 'GET', path: `${repository}/issues`, access: may('issues', 'read'), answer: issues.listIssues },
  { method: 'POST', path: `${repository}/issues`, access: may('issues', 'write'), answer: issues.createIssue },
  { method: 'GET', path: comment, access: reading, answer: comments.getComment },
  { method: 'PATCH', path: comment, access: writing, answer: comments.updateComment },
  { method: 'DELETE', path: comment, access: writing, answer: comments.deleteComment },
  { method: 'GET', path: issue, access: reading, answer: issues.getIssue },
  { method: 'PATCH', path: issue, access: writing, answer: issues.updateIssue },
  { method: 'GET', path: `${issue}/comments`, access: reading, answer: comments.listComments },
  { method: 'POST', path: `${issue}/comments`, access: writing, answer: comments.createComment },
  ...reactionRoutes,
  {
    method: 'GET',
    path: `${repository}/collaborators/{username}/permission`,
    access: may('metadata', 'read'),
    answer: getPermission,
  },
  { method: 'GET', path: `${issue}/labels`, access: reading, answer: labels.listLabels },
  { method: 'POST', path: `${issue}/labels`, access: writing, answer: labels.addLabels },
  { method: 'PUT', path: `${issue}/labels`, access: writing, answer: labels.replaceLabels },
  { method: 'DELETE', path: `${issue}/labels`, access: writing, answer: labels.removeAllLabels },
  { method: 'DELETE', path: `${issue}/labels/{name}`, access: writing, answer: labels.removeLabel },
  { method: 'GET', path: `${repository}/labels`, access: reading, answer: labels.listRepositoryLabels },
  { method: 'POST', path: `${repository}/labels`, access: writing, answer: labels.createRepositoryLabel },
  { method: 'GET', path: `${repository}/labels/{name}`, access: reading, answer: labels.getRepositoryLabel },
  { method: 'PATCH', path: `${repository}/labels/{name}`, access: writing, answer: labels.updateRepositoryLabel },
  { method: 'DELETE', path: `${repository}/labels/{name}`, access: writing, answer: labels.deleteRepositoryLabel },
  { method: 'POST', path: `${issue}/assignees`, access: writing, answer: issues.addAssignees },
  { method: 'DELETE', path: `${issue}/assignees`, access: writing, answer: issues.removeAssignees },
  ...pullRoutes,
  ...codeRoutes,
  ...releaseRoutes,
  { method: 'POST', path: `${repository}/check-runs`, access: may('checks', 'write'), answer: checks.createCheckRun },
  { method: 'GET', path: checkRun, access: may('checks', 'read'), answer: checks.getCheckRun },
  {
    ...{ method: 'GET', path: `${checkRun}/annotations` },
    ...{ access: may('checks', 'read'), answer: checks.listAnnotations },
  },
  { method: 'PATCH', path: checkRun, access: may('checks', 'write'), answer: checks.updateCheckRun },
  {
    ...{ method: 'GET', path: `${repository}/commits/{ref}/check-runs` },
    ...{ access: may('checks', 'read'), answer: checks.listCheckRuns },
  },
  { method: 'POST', path: `${repository}/statuses/{sha}`, access: may('statuses', 'write'), answer: createStatus },
  {
    method: 'GET',
    path: `${repository}/commits/{ref}/statuses`,
    access: may('statuses', 'read'),
    answer: listStatuses,
  },
  {
    ...{ method: 'GET', path: `${repository}/commits/{ref}/status` },
    ...{ access: may('statuses', 'read'), answer: getCombinedStatus },
  },
  {
    ...{ method: 'GET', path: `${repository}/commits/{commit_sha}/pulls` },
    ...{ access: readingPulls, answer: pulls.listPullsOfCommit },
  },
  // After the routes below a commit, because a ref may contain slashes.
  { method: 'GET', path: `${repository}/commits/{ref}`, access: readingContents, answer: commits.getCommit },
]
