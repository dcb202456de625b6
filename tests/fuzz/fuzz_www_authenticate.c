/* WWW-Authenticate out of any bytes: what comes out can go into a request. */
#include <string.h>

#include "image/challenge.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct challenge list[CHALLENGES_MAX];
	struct arena arena = { 0 };
	struct csn_error err = { 0 };
	size_t count = 0;

	MUST(text);
	if (challenge_parse(text, &arena, list, CHALLENGES_MAX, &count, &err) < 0) {
		MUST(err.code > 0 && err.text[0]);
	} else {
		MUST(count <= CHALLENGES_MAX);
		for (size_t i = 0; i < count; i++) {
			MUST(list[i].scheme[0] && list[i].param_count <= CHALLENGE_PARAMS_MAX);
			for (size_t j = 0; j < list[i].param_count; j++)
				MUST(!strpbrk(list[i].params[j].value, "\r\n"));
			(void)challenge_param(&list[i], "realm");
		}
	}
	arena_free(&arena);
	free(text);
	return 0;
}
