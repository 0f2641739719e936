package arm

func routesOfTags() []route {
	const path, action = "/{scope}/providers/Microsoft.Resources/tags/default", "Microsoft.Resources/tags/"
	return []route{
		{"Tags_GetAtScope", get, path, action + "read", limitNone, inScope(getTags)},
		{"Tags_CreateOrUpdateAtScope", put, path, action + "write", limitNone, inScope(putTags)},
		{"Tags_UpdateAtScope", patch, path, action + "write", limitNone, inScope(patchTags)},
		{"Tags_DeleteAtScope", del, path, action + "delete", limitNone, inScope(deleteTags)},
	}
}
