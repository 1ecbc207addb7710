/** Posts the answer of a login to the callback URL without a tap. */
/** @type {HTMLFormElement | null} */ (document.querySelector("#go"))?.submit();
